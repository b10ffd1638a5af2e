import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { DirectoryClient } from './directory.client.js';
import { DirectorySources } from './directory-sources.provider.js';
import { type DirectoryRow, DirectoryRepository } from './directory.repository.js';
import { Trust } from './trust.service.js';

const EVERY_MS = 30_000;
/** Longer than an exchange, so that one replica asks. */
const LEASE_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 60_000;

/** Asks Directory Services, once for all replicas. What they said last goes on to count when they cannot be asked. */
@Injectable()
export class DirectoriesWorker implements Turn, OnModuleInit {
  readonly name = 'trust.directories';
  private known = false;

  constructor(
    private readonly poller: Poller,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly transactions: TransactionService,
    private readonly sources: DirectorySources,
    private readonly directories: DirectoryRepository,
    private readonly client: DirectoryClient,
    private readonly trust: Trust,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.poller.add(this, { everyMs: EVERY_MS });
  }

  async turn(): Promise<boolean> {
    if (this.sources.urls.length === 0) return false;
    const at = this.clock.now();
    const { urls } = this.sources;
    if (!this.known) await this.transactions.run((tx) => this.directories.know(tx, urls, at));
    this.known = true;
    const until = new Date(at.getTime() + LEASE_MS);
    const row = await this.transactions.statement((tx) => this.directories.claim(tx, urls, at, until));
    if (!row) return false;
    await this.ask(row);
    return true;
  }

  private async ask(row: DirectoryRow): Promise<void> {
    const { url, etag, issuedAt, readAt } = row;
    const source = this.sources.all.find((one) => one.url === url)!;
    try {
      const answer = await this.client.fetch(source, { etag, issuedAt, isRead: readAt !== null });
      await this.take(row, answer);
    } catch (error) {
      const fault = isFault(error) ? error : new Fault('internal', {}, error);
      if (fault.code === 'database.unavailable') throw fault;
      await this.failed(row, fault);
    }
  }

  private async take(
    { url, failure }: DirectoryRow,
    answer: Awaited<ReturnType<DirectoryClient['fetch']>>,
  ): Promise<void> {
    const readAt = this.clock.now();
    const nextTryAt = new Date(readAt.getTime() + this.config.directoryRefreshMs);
    const well = { readAt, nextTryAt, failure: null, failures: 0 };
    if (answer.kind === 'unchanged') {
      await this.transactions.run((tx) => this.directories.save(tx, url, well));
    } else {
      const { federation, providers, skipped, iat } = answer.list;
      const issuedAt = iat === undefined ? {} : { issuedAt: new Date(iat * 1000) };
      await this.transactions.run(async (tx) => {
        await this.directories.save(tx, url, {
          ...well,
          ...issuedAt,
          federation,
          providers,
          skipped,
          etag: answer.etag,
        });
        await this.trust.changed(tx);
      });
      const facts = { event: 'directory.read', url, federation, providers: providers.length, skipped };
      this.log[skipped > 0 ? 'warn' : 'info'](facts, 'a Directory Service was read');
    }
    if (failure) this.log.info({ event: 'directory.back', url }, 'a Directory Service can be read again');
  }

  private async failed({ url, failures }: DirectoryRow, fault: Fault): Promise<void> {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), this.config.directoryRefreshMs);
    const nextTryAt = new Date(this.clock.now().getTime() + pause);
    const changes = { failure: fault.code, failures: failures + 1, nextTryAt };
    await this.transactions.run((tx) => this.directories.save(tx, url, changes));
    const facts = { event: 'directory.not-read', url, code: fault.code, err: fault };
    this.log.error(facts, 'a Directory Service gives no list; what it said before goes on to count');
  }
}
