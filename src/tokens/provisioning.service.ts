import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { doubled } from '../outbox/back-off.js';
import { withoutSecrets } from '../ocm/share-protocol.js';
import { Log } from '../platform/logger.service.js';
import { Poller } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { PairingRepository } from './pairing.repository.js';
import { ProtocolServerClient } from './protocol-server.client.js';
import type { NoticeWithoutSecret, ShareRecord } from './share-record.js';
import { type Records, ShareRecordRepository } from './share-record.repository.js';

/** What came of telling protocol servers: `uri` is where the resource is served, when one of them said so. */
export type Provided =
  { readonly kind: 'stored'; readonly uri?: string } | { readonly kind: 'failed'; readonly why: string };

/** A share for one member server, as it is meant to be announced. */
export interface Provision {
  readonly providerId: string;
  readonly shareId: string;
  readonly recipient: Host;
  readonly protocolServers: readonly string[];
  readonly notice: object;
}

export const RECORDS_WORKER = 'tokens.records';

const LEASE_MS = 120_000;
const BACK_OFF = { firstMs: 30_000, longestMs: 3_600_000 };
/** A notice is written right after the acknowledgement, or its time to try is over. */
const USED_WITHIN_MS = 3_600_000;

/**
 * Tells protocol servers of shares before their notices go out, and has them forget what has ended. OCM-IP, Provisioned
 * mode
 */
@Injectable()
export class ProvisioningService {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly pairings: PairingRepository,
    private readonly records: ShareRecordRepository,
    private readonly client: ProtocolServerClient,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  /**
   * Writes down what is to be provisioned, without any secret (I-018). Throws `pairing.unknown` for a protocol server that
   * is not paired, `pairing.not-provisioned` for one without an Integration API: modes are not mixed in one share (I-005).
   */
  async prepare(tx: Tx, { protocolServers, notice, ...named }: Provision): Promise<void> {
    const apis = await this.integrationApis(tx, protocolServers);
    const tokenServer = await this.tokenServer(tx);
    const records = protocolServers.map((protocolServer) => ({
      ...named,
      protocolServer,
      integrationApi: apis.get(protocolServer)!,
      issues: protocolServer === tokenServer,
      notice: withoutSecrets(notice) as NoticeWithoutSecret,
    }));
    await this.records.add(tx, records, this.clock.now());
  }

  /** The name of the server that issues tokens in our stead: it has to be told of every share (share preparation). */
  async tokenServer(tx: Tx): Promise<string | undefined> {
    return (await this.pairings.tokenServer(tx))?.clientId;
  }

  /** Throws like `prepare`. */
  async integrationApis(tx: Tx, protocolServers: readonly string[]): Promise<Map<string, string>> {
    const apis = await this.pairings.integrationApis(tx, protocolServers);
    for (const clientId of protocolServers) {
      const api = apis.get(clientId);
      if (api === undefined) throw new Fault('pairing.unknown', { clientId });
      if (api === null) throw new Fault('pairing.not-provisioned', { clientId });
    }
    return apis as Map<string, string>;
  }

  /** The providerId that a share was made ready under for a server that has not been told of it. */
  ready(tx: Tx, shareId: string, recipient: Host): Promise<string | undefined> {
    return this.records.ready(tx, shareId, recipient);
  }

  /**
   * Whether what they acknowledged still counts: they are to forget it when the member server has lost its last member since,
   * or when nothing was announced for too long. Nothing changes that before the transaction ends.
   */
  isReady(tx: Tx, providerId: string): Promise<boolean> {
    return this.records.isReady(tx, providerId);
  }

  /**
   * Tells all protocol servers of a providerId that have not acknowledged it. Nothing is announced before all have
   * (I-017). Not within a transaction.
   */
  async provide(providerId: string): Promise<Provided> {
    const at = this.clock.now();
    const leased = await this.db.statement((tx) =>
      this.records.lease(tx, providerId, at, new Date(at.getTime() + LEASE_MS)),
    );
    let why: string | undefined;
    for (const record of leased) why = (await this.store(record)) ?? why;
    if (why !== undefined) return { kind: 'failed', why };
    const records = await this.db.statement((tx) => this.records.of(tx, providerId));
    if (records.length === 0 || records.some(({ state }) => state !== 'stored')) {
      return { kind: 'failed', why: 'provisioning.under-way' };
    }
    const uri = records.find(({ allocated }) => allocated !== undefined)?.allocated;
    return { kind: 'stored', ...(uri === undefined ? {} : { uri }) };
  }

  /**
   * The member server has its secret: what changes from now on is told by the worker. Returns the secret, where a Token Server
   * minted it.
   */
  granted(tx: Tx, providerId: string): Promise<string | undefined> {
    return this.records.granted(tx, providerId);
  }

  /** The share gives other rights; each record is replaced. I-020 */
  async change(tx: Tx, shareId: string, permissions: readonly string[]): Promise<void> {
    await this.records.change(tx, shareId, permissions, this.clock.now());
    this.db.afterCommit(tx, () => this.poller.wake(RECORDS_WORKER));
  }

  /** They are revoked in the background, however long that takes: nothing waits for it. I-025, I-026 */
  async revoke(tx: Tx, which: Records): Promise<void> {
    await this.records.revoke(tx, which, this.clock.now());
    this.db.afterCommit(tx, () => this.poller.wake(RECORDS_WORKER));
  }

  /** One turn of the worker: tells one protocol server one thing. Returns whether there was one. */
  async turn(): Promise<boolean> {
    const at = this.clock.now();
    await this.db.statement((tx) => this.records.revokeUnused(tx, new Date(at.getTime() - USED_WITHIN_MS), at));
    const record = await this.db.statement((tx) => this.records.take(tx, at, new Date(at.getTime() + LEASE_MS)));
    if (!record) return false;
    if (record.state === 'revoking') await this.forget(record);
    else await this.store(record);
    return true;
  }

  private async store(record: ShareRecord): Promise<string | undefined> {
    return this.tell(record, 'record.stored', async () => {
      const allocated = await this.client.provision(record);
      await this.db.statement((tx) => this.records.stored(tx, record, allocated));
    });
  }

  private async forget(record: ShareRecord): Promise<void> {
    await this.tell(record, 'record.revoked', async () => {
      await this.client.revoke(record);
      await this.db.statement((tx) => this.records.forget(tx, record));
    });
  }

  /** Returns why it failed. */
  private async tell(record: ShareRecord, event: string, work: () => Promise<void>): Promise<string | undefined> {
    const { providerId, protocolServer } = record;
    try {
      await work();
      this.log.info({ event, protocolServer, providerId }, 'a protocol server was told');
      return undefined;
    } catch (error) {
      if (!isFault(error) || error.code === 'database.unavailable') throw error;
      const next = new Date(this.clock.now().getTime() + doubled(record.tries - 1, BACK_OFF));
      await this.db.statement((tx) => this.records.failed(tx, record, error.code, next));
      const facts = { event: 'record.failed', protocolServer, providerId, code: error.code, err: error };
      this.log.warn(facts, 'a protocol server could not be told');
      return error.code;
    }
  }
}
