import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Network } from '../../src/kernel/network.js';
import { serveApiDocs } from '../../src/platform/api-docs.provider.js';
import { configFrom } from '../../src/platform/config.js';
import type { Rows } from '../../src/platform/database.provider.js';
import { dressHttp, httpAdapter } from '../../src/platform/http.provider.js';
import { Log } from '../../src/platform/logger.service.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import { TestClock } from '../support/clock.js';
import type { Lease } from '../support/database.js';
import { TestDice } from '../support/dice.js';

export const API_KEY = 'test_key_0123456789_0123456789_abcdef';
export const SEALING_KEY = Buffer.alloc(32, 1).toString('base64url');

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'covey-'));
  folders.push(folder);
  return folder;
}

class NoNetwork extends Network {
  fetch(): Promise<never> {
    return Promise.reject(new Error('the platform asks no other server'));
  }
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly controllers?: ModuleMetadata['controllers'];
  /** Other folders that need the platform alone, with their entities, and what they ask of others. */
  readonly modules?: NonNullable<ModuleMetadata['imports']>;
  readonly rows?: Rows;
  readonly network?: Network;
  /** Takes the lines of the log. */
  readonly lines?: string[];
}

/** The platform alone, on a leased database, with controllers of the test. */
export async function platformApp(
  lease: Pick<Lease, 'url' | 'poolSize'>,
  { env = {}, controllers = [], modules = [], rows = [], network = new NoNetwork(), lines = [] }: Options = {},
) {
  const config = configFrom({
    COVEY_DOMAIN: 'a.test',
    COVEY_DATA: dataFolder(),
    DATABASE_URL: lease.url,
    COVEY_DATABASE_POOL: String(lease.poolSize),
    COVEY_SEALING_KEY: SEALING_KEY,
    COVEY_API_KEY: API_KEY,
    COVEY_LOG_LEVEL: 'debug',
    ...env,
  });
  const [clock, dice] = [new TestClock(), new TestDice('platform')];
  const log = new Log(config.logLevel, { write: (line) => lines.push(line) });

  @Module({ imports: [PlatformModule.with({ config, clock, dice, network, log }, rows), ...modules], controllers })
  class TestModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(config, dice), {
    rawBody: true,
    logger: log,
    abortOnError: false,
  });
  await dressHttp(app, config);
  serveApiDocs(app, config);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return { app, clock, config, ask: asker(app), [Symbol.asyncDispose]: () => app.close() };
}

/** Asks the app in place, as somebody who has the API key unless told otherwise. */
function asker(app: NestFastifyApplication) {
  return async (method: 'GET' | 'POST' | 'DELETE', url: string, { body, headers = {} }: Asked = {}) => {
    const json = typeof body === 'object' && !(body instanceof Uint8Array);
    const response = await app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: json ? JSON.stringify(body) : Buffer.from(body) }),
    });
    const type = String(response.headers['content-type'] ?? '');
    return {
      status: response.statusCode,
      headers: response.headers,
      type: type.split(';', 1)[0],
      text: response.body,
      json: (/json\b/.test(type) ? JSON.parse(response.body) : undefined) as Record<string, unknown>,
    };
  };
}

interface Asked {
  readonly body?: object | string | Uint8Array;
  readonly headers?: Record<string, string>;
}
