import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { Config } from './config.js';
import { isLostConnection } from './database-error.js';
import type { DataFolder } from './data-folder.provider.js';
import { EmbeddedDatabase } from './embedded.provider.js';
import type { Log } from './logger.service.js';
import { migrate } from './migration.repository.js';
import type { Migration } from './migrations/migration.js';

export type Rows = readonly EntityTarget<ObjectLiteral>[];

interface Surroundings {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly log: Log;
  readonly clock: Clock;
}

const LONGEST_IDLE_MS = 60_000;

/** The one database, embedded or PostgreSQL: opened and migrated before anything else is made, closed after all else. */
@Injectable()
export class Database implements OnApplicationShutdown {
  private constructor(
    readonly source: DataSource,
    readonly embedded: EmbeddedDatabase | undefined,
    private readonly folder: DataFolder,
  ) {}

  /** Throws `database.unavailable`, `data-folder.taken` or `migration.changed`. */
  static async open(around: Surroundings, rows: Rows, migrations: readonly Migration[]): Promise<Database> {
    const { config, folder, log } = around;
    if (!config.databaseUrl) {
      await folder.lock();
      log.info(
        { event: 'database.opening', folder: folder.path },
        'opening the embedded database; the first time takes some seconds',
      );
    }
    const embedded = config.databaseUrl ? undefined : await EmbeddedDatabase.start(folder.path, log);
    try {
      const source = await connect(
        around,
        embedded?.url ?? config.databaseUrl ?? '',
        embedded ? 1 : config.databasePool,
        rows,
      );
      const database = new Database(source, embedded, folder);
      await database.migrate(around, migrations);
      return database;
    } catch (error) {
      await embedded?.stop();
      folder.unlock();
      throw isLostConnection(error) ? new Fault('database.unavailable', {}, error) : error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
    await this.embedded?.stop();
    this.folder.unlock();
  }

  private async migrate({ clock, log }: Surroundings, migrations: readonly Migration[]): Promise<void> {
    const connection = this.source.createQueryRunner();
    try {
      const applied = await migrate(connection, migrations, clock.now());
      if (applied.length > 0) log.info({ event: 'database.migrated', applied }, 'the schema was brought up to date');
    } catch (error) {
      await connection.release();
      await this.source.destroy();
      throw error;
    }
    await connection.release();
  }
}

function connect({ config, log }: Surroundings, url: string, poolSize: number, rows: Rows): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    url,
    poolSize,
    entities: [...rows] as Function[],
    connectTimeoutMS: config.databaseTimeoutMs,
    installExtensions: false,
    applicationName: 'covey',
    logging: false,
    // A replica that freezes in a transaction must not hold its locks for ever.
    extra: { keepAlive: true, ...(poolSize > 1 && { idle_in_transaction_session_timeout: LONGEST_IDLE_MS }) },
    poolErrorHandler: (err: unknown) =>
      log.warn({ event: 'database.connection-lost', err }, 'a connection to the database was lost'),
  }).initialize();
}
