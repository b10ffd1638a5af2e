import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { fromBase64url } from '../kernel/bytes.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { Config } from './config.js';
import { DataFolder } from './data-folder.provider.js';
import { SealingKeys } from './vault.service.js';

/** Where the sealing keys come from: the environment, a file, or the data folder, where the first run makes one. */
@Injectable()
export class ConfiguredSealingKeys extends SealingKeys {
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];

  constructor(config: Config, folder: DataFolder, dice: Dice) {
    super();
    this.keys = config.sealingKeys
      ? nonEmpty(config.sealingKeys)
      : config.sealingKeyFile
        ? parse(readFileSync(config.sealingKeyFile, 'utf8'), config.sealingKeyFile)
        : parse(folder.readOrMake('sealing-key', () => dice.secret()).text, folder.file('sealing-key'));
  }
}

/** One key a line; empty lines and lines that begin with "#" do not count. */
function parse(text: string, file: string): readonly [Uint8Array, ...Uint8Array[]] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => key(line, file));
  return nonEmpty(keys, file);
}

function key(line: string, file: string): Uint8Array {
  try {
    const bytes = fromBase64url(line);
    if (bytes.length === 32) return bytes;
  } catch {
    // The fault below says more, and repeats no part of the key.
  }
  throw new Fault('vault.key-malformed', { file });
}

function nonEmpty(keys: readonly Uint8Array[], file?: string): readonly [Uint8Array, ...Uint8Array[]] {
  const [first, ...others] = keys;
  if (!first) throw new Fault('vault.key-malformed', { file });
  return [first, ...others];
}
