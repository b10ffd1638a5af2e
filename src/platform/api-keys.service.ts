import { readFileSync } from 'node:fs';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Fault } from '../kernel/fault.js';
import { type ApiKey, ApiKeyRepository } from './api-key.repository.js';
import { AuditLog } from './audit-log.repository.js';
import { Config } from './config.js';
import { DataFolder } from './data-folder.provider.js';
import { Log } from './logger.service.js';
import { type Tx, TransactionService } from './transaction.service.js';

/** "key1" in ASCII: of several replicas that start at once, one makes the first key. */
const LOCK = '1801812273';
const FILE = 'api-key';

@Injectable()
export class ApiKeysService implements OnModuleInit {
  constructor(
    private readonly transactions: TransactionService,
    private readonly keys: ApiKeyRepository,
    private readonly audit: AuditLog,
    private readonly config: Config,
    private readonly folder: DataFolder,
    private readonly log: Log,
  ) {}

  /** The text is in this answer only. */
  create(name: string): Promise<ApiKey & { text: string }> {
    const text = this.keys.mint();
    return this.transactions.run(async (tx) => ({ ...(await this.add(tx, name, text)), text }));
  }

  list(): Promise<ApiKey[]> {
    return this.transactions.statement((tx) => this.keys.all(tx));
  }

  /** Throws `not-found`. */
  async revoke(id: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const revoked = await this.keys.revoke(tx, id);
      if (!revoked) throw new Fault('not-found');
      if (revoked.now) await this.audit.record(tx, { act: 'api-key.revoked', subject: revoked.name, facts: { id } });
    });
  }

  /** Where a person finds the first key. */
  get whereabouts(): string {
    if (this.config.apiKey !== undefined) return 'as given in COVEY_API_KEY';
    return this.config.apiKeyFile ?? this.folder.file(FILE);
  }

  /** The first key: the configured one, or on the first run a new one, left in the data folder. */
  async onModuleInit(): Promise<void> {
    await this.transactions.run(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      const given = this.config.apiKey ?? this.fromFile();
      if (given === undefined) return this.makeFirst(tx);
      if (!(await this.keys.knows(tx, given))) await this.add(tx, 'from the configuration', given);
    });
  }

  private async add(tx: Tx, name: string, text: string): Promise<ApiKey> {
    const key = await this.keys.add(tx, name, text);
    await this.audit.record(tx, { act: 'api-key.made', subject: name, facts: { id: key.id } });
    return key;
  }

  private async makeFirst(tx: Tx): Promise<void> {
    if ((await this.keys.all(tx)).length > 0) return;
    const text = this.keys.mint();
    await this.add(tx, 'first', text);
    // Before the commit: a crash between the two leaves a file that the next start replaces, not a key that nobody has.
    this.folder.write(FILE, text);
    this.log.info({ event: 'api-key.made', file: this.folder.file(FILE) }, 'the first API key was made');
  }

  private fromFile(): string | undefined {
    const { apiKeyFile } = this.config;
    if (apiKeyFile === undefined) return undefined;
    const text = readFileSync(apiKeyFile, 'utf8').trim();
    if (/^[A-Za-z0-9_-]{32,200}$/.test(text)) return text;
    const expected = 'a file with one API key: 32 to 200 letters, digits, "-" or "_"';
    throw new Fault('config.wrong', { problems: [{ variable: 'COVEY_API_KEY_FILE', expected, given: apiKeyFile }] });
  }
}
