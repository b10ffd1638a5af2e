import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Network } from '../../src/kernel/network.js';
import { OCM_ROWS, OcmModule } from '../../src/ocm/ocm.module.js';
import { TRUST_ROWS } from '../../src/trust/trust.module.js';
import { configFrom } from '../../src/platform/config.js';
import { dressHttp, httpAdapter } from '../../src/platform/http.provider.js';
import { Log } from '../../src/platform/logger.service.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import { TestClock } from '../support/clock.js';
import type { Lease } from '../support/database.js';
import { TestDice } from '../support/dice.js';

export const OUR_HOST = 'b.test';
export const NOW = '2027-01-04T09:00:00.000Z';

interface Wanted {
  readonly lease: Lease;
  readonly network: Network;
  readonly clock?: TestClock;
  readonly environment?: Readonly<Record<string, string>>;
  readonly controllers?: Type[];
  /** Differs between replicas. */
  readonly seed?: string;
}

@Module({})
class Root {}

/** The wire of one server, with controllers of the test, on its own database. */
export async function boot(wanted: Wanted): Promise<NestFastifyApplication> {
  const { lease, network, clock = new TestClock(NOW), environment, controllers = [], seed = 'one' } = wanted;
  const config = configFrom({
    COVEY_DOMAIN: OUR_HOST,
    COVEY_LOG_LEVEL: 'silent',
    COVEY_SEALING_KEY: Buffer.alloc(32, 7).toString('base64url'),
    COVEY_API_KEY: 'key'.padEnd(40, 'x'),
    DATABASE_URL: lease.url,
    ...environment,
  });
  Object.assign(config, { databasePool: lease.poolSize });
  const dice = new TestDice(seed);
  const log = new Log(config.logLevel);
  const root: DynamicModule = {
    module: Root,
    imports: [PlatformModule.with({ config, clock, dice, network, log }, [...TRUST_ROWS, ...OCM_ROWS]), OcmModule],
    controllers,
  };
  const app = await NestFactory.create<NestFastifyApplication>(root, httpAdapter(config, dice), {
    rawBody: true,
    logger: log,
    abortOnError: false,
  });
  await dressHttp(app, config);
  await app.init();
  return app;
}
