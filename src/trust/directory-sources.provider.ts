import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { Fault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { parseJson } from '../platform/json.js';
import { type DirectorySource, parseDirectorySources } from './directory-source.js';

/** The configured Directory Services. Read once, when the process starts: throws `config.wrong`. */
@Injectable()
export class DirectorySources {
  readonly all: readonly DirectorySource[];
  readonly urls: readonly string[];

  constructor({ directoriesFile, development }: Config) {
    this.all = directoriesFile === undefined ? [] : parseDirectorySources(contents(directoriesFile), development);
    this.urls = this.all.map(({ url }) => url);
  }
}

function contents(path: string): unknown {
  try {
    return parseJson(readFileSync(path));
  } catch (cause) {
    const expected = 'a file that can be read, with JSON';
    throw new Fault('config.wrong', { problems: [{ variable: 'COVEY_DIRECTORIES', expected, given: path }] }, cause);
  }
}
