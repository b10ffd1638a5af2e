import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Network } from '../kernel/network.js';
import { ApiKeyRepository, ApiKeyRow } from './api-key.repository.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuditLog, AuditRow } from './audit-log.repository.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { Config } from './config.js';
import { DataFolder } from './data-folder.provider.js';
import { Database, type Rows } from './database.provider.js';
import { HealthController } from './health.controller.js';
import { Idempotency, IdempotencyRow } from './idempotency.repository.js';
import { Log } from './logger.service.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.service.js';
import { MIGRATIONS } from './migrations/index.js';
import { Poller } from './poller.service.js';
import { RateLimitRow, RateLimits } from './rate-limits.repository.js';
import { ReadinessService } from './readiness.service.js';
import { ConfiguredSealingKeys } from './sealing-keys.provider.js';
import { TransactionService } from './transaction.service.js';
import { UpkeepWorker } from './upkeep.worker.js';
import { VaultCheck, VaultCheckRow } from './vault-check.repository.js';
import { WaterMarkRepository, WaterMarkRow } from './water-mark.repository.js';
import { HighWater } from './high-water.provider.js';
import { ResealingWorker } from './resealing.worker.js';
import { SealingKeys, Vault } from './vault.service.js';

export const PLATFORM_ROWS = [ApiKeyRow, AuditRow, WaterMarkRow, IdempotencyRow, RateLimitRow, VaultCheckRow];

/** What is passed in from outside, and replaced in tests. */
export interface World {
  readonly config: Config;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly network: Network;
  /** Made from the configuration when absent. */
  readonly log?: Log;
}

@Global()
@Module({})
export class PlatformModule {
  /** `rows` are the entities of all folders. */
  static with({ config, clock, dice, network, log }: World, rows: Rows): DynamicModule {
    const exported = [
      { provide: Config, useValue: config },
      { provide: Clock, useValue: clock },
      { provide: Dice, useValue: dice },
      { provide: Network, useValue: network },
      { provide: Log, useValue: log ?? new Log(config.logLevel) },
      DataFolder,
      {
        provide: Database,
        inject: [DataFolder, Log],
        useFactory: (folder: DataFolder, to: Log) =>
          Database.open({ config, clock, folder, log: to }, [...PLATFORM_ROWS, ...rows], MIGRATIONS),
      },
      { provide: DataSource, inject: [Database], useFactory: ({ source }: Database) => source },
      { provide: SealingKeys, useClass: ConfiguredSealingKeys },
      TransactionService,
      Vault,
      Metrics,
      Poller,
      Idempotency,
      RateLimits,
      AuditLog,
      AuditService,
      ApiKeyRepository,
      ApiKeysService,
      ReadinessService,
      ResealingWorker,
      HighWater,
    ];
    return {
      module: PlatformModule,
      controllers: [ApiKeysController, AuditController, HealthController, MetricsController],
      providers: [...exported, WaterMarkRepository, UpkeepWorker, VaultCheck],
      exports: exported,
    };
  }
}
