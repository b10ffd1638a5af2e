import { readFile, stat } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Fault, type FaultCode, isFault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { parseJson } from '../platform/json.js';
import { Log } from '../platform/logger.service.js';
import { type ListedProvider, parseProvidersFile } from './listed-provider.js';

const LARGEST = 4 * 1024 * 1024;

export interface ReadProviders {
  readonly providers: readonly ListedProvider[];
  readonly skipped: number;
  readonly readAt: Date;
}

/** The configured file of providers, as it was last good. Each replica reads its own. */
@Injectable()
export class ProvidersFile {
  readonly path: string | undefined;
  private good: ReadProviders | undefined;
  private trouble: FaultCode | undefined;
  /** Of the file that was looked at last, whatever was in it. */
  private seen: string | undefined;

  constructor(
    config: Config,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.path = config.providersFile;
  }

  get last(): ReadProviders | undefined {
    return this.good;
  }

  /** Why the file as it is now does not count, if it does not. */
  get failure(): FaultCode | undefined {
    return this.trouble;
  }

  /** Reads the file when it is another one than at the last look; says whether what it says has changed. */
  async look(): Promise<boolean> {
    if (this.path === undefined) return false;
    const marks = await stat(this.path).then(
      ({ mtimeMs, size, ino }) => ({ mtimeMs, size, ino }),
      () => undefined,
    );
    const mark = JSON.stringify(marks ?? 'none');
    if (mark === this.seen) return false;
    this.seen = mark;
    try {
      if (marks === undefined || marks.size > LARGEST) throw new Fault('providers.unreadable', { ...marks });
      const { providers, skipped } = parseProvidersFile(parseJson(await readFile(this.path)));
      this.good = { providers, skipped, readAt: this.clock.now() };
      this.trouble = undefined;
      const facts = { event: 'providers.read', providers: providers.length, skipped };
      this.log[skipped > 0 ? 'warn' : 'info'](facts, 'the file of providers was read');
      return true;
    } catch (error) {
      this.trouble = isFault(error, 'providers.unreadable') ? error.code : 'providers.malformed';
      const facts = { event: 'providers.not-read', code: this.trouble, file: this.path, err: error };
      this.log.error(facts, 'the file of providers cannot be used; what it said before goes on to count');
      return false;
    }
  }
}
