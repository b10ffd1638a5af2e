import { DataSource } from 'typeorm';
import { MlsGroupRow } from '../../src/mls/client-state.repository.js';
import { Config } from '../../src/platform/config.js';
import { backUp } from '../support/backup.js';
import { MembershipReplica, membershipTruth, withoutTag } from '../support/membership-questions.js';
import { TransactionService, type Tx } from '../../src/platform/transaction.service.js';
import type { MessageOrder } from '../../src/shares/message-order.js';
import type { TestServer } from '../support/server.js';
import type { Locks } from './gate.js';

/** A group as one server has it. */
export interface GroupAt {
  readonly host: string;
  readonly mlsGroupId: string;
  readonly address: string;
  readonly epoch: number;
  readonly state: string;
  readonly admins: readonly string[];
  /** In the order of the alphabet. */
  readonly members: readonly string[];
  /** The member at each leaf. */
  readonly leaves: readonly (string | null)[];
}

/** What a server wrote into its audit log. */
export interface Audited {
  readonly host: string;
  readonly act: string;
  readonly actor: string | null;
  readonly subject: string | null;
  readonly mlsGroupId: string | null;
  readonly group: string | null;
  readonly digest: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A Commit in one server's log. */
export interface LoggedCommit {
  readonly host: string;
  readonly mlsGroupId: string;
  /** The one that it ended. */
  readonly epoch: number;
  readonly digest: string;
  readonly committer: string;
  readonly commit: Buffer;
  readonly proposals: readonly string[];
}

/** Looks into a server's database past the service: nothing that it does counts as a statement of the server. */
export class Observer implements Locks, AsyncDisposable {
  /** A replica that answers questions about members, and lives on whatever becomes of the server. */
  private readonly replica: MembershipReplica;

  private constructor(
    readonly host: string,
    private readonly source: DataSource,
  ) {
    this.replica = new MembershipReplica(new TransactionService(source), host, 500);
  }

  static async of(server: TestServer): Promise<Observer> {
    const url = server.get(Config).databaseUrl!;
    const source = new DataSource({
      type: 'postgres',
      url,
      entities: [MlsGroupRow],
      poolSize: 1,
      installExtensions: false,
    });
    await source.initialize();
    const observer = new Observer(server.host, source);
    // What the database tidies by itself comes at times that no seed decides, and moves rows.
    for (const { name } of await observer.rows<{ name: string }>(
      `SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    )) {
      await source.query(`ALTER TABLE ${name} SET (autovacuum_enabled = false)`);
    }
    return observer;
  }

  rows<T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.source.query<T[]>(sql, parameters);
  }

  /** Answers about members that are not those of the bare query. */
  async oldAnswers(users: readonly string[]): Promise<string[]> {
    const known = await this.rows<{ address: string }>('SELECT DISTINCT address FROM federated_group ORDER BY 1');
    const cast = { groups: known.map(({ address }) => address), users };
    const truth = await membershipTruth((sql) => this.rows(sql), this.host, cast);
    const said = await this.replica.everything(cast);
    return [...said]
      .filter(([question, answer]) => withoutTag(answer) !== truth.get(question))
      .map(([question, answer]) => `${question}: ${answer} instead of ${truth.get(question)}`);
  }

  /** Only while the server does nothing. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.source.transaction((manager) => work(manager as Tx));
  }

  /** A copy of the database, in the stead of an earlier one. */
  backUp(): Promise<void> {
    return backUp(this.source);
  }

  async count(from: string): Promise<number> {
    const [row] = await this.rows<{ count: number }>(`SELECT count(*)::integer AS count FROM ${from}`);
    return row!.count;
  }

  groups(): Promise<GroupAt[]> {
    return this.rows<GroupAt>(
      `SELECT $1::text AS host, g.mls_group_id AS "mlsGroupId", g.address, g.epoch::integer AS epoch, g.state, g.admins,
         ARRAY(SELECT m.address FROM group_member m WHERE m.mls_group_id = g.mls_group_id ORDER BY 1) AS members,
         ARRAY(SELECT m.address FROM generate_series(0, (SELECT max(leaf_index) FROM group_member o
             WHERE o.mls_group_id = g.mls_group_id)) AS at
           LEFT JOIN group_member m ON m.mls_group_id = g.mls_group_id AND m.leaf_index = at ORDER BY at) AS leaves
       FROM federated_group g ORDER BY g.address, g.mls_group_id`,
      [this.host],
    );
  }

  /** In the order in which it was written. A restored backup takes numbers anew. */
  audited(): Promise<Audited[]> {
    return this.rows<Audited>(
      `SELECT $1::text AS host, act, actor, subject, mls_group_id AS "mlsGroupId", group_address AS "group", digest, facts
       FROM audit_log ORDER BY number`,
      [this.host],
    );
  }

  /** Of all groups, in order. */
  log(): Promise<LoggedCommit[]> {
    return this.rows<LoggedCommit>(
      `SELECT $1::text AS host, mls_group_id AS "mlsGroupId", epoch::integer AS epoch, digest, committer, commit, proposals
       FROM commit_log ORDER BY mls_group_id, commit_log.epoch`,
      [this.host],
    );
  }

  /**
   * Group Keys of the epoch before that are gone although files need them: their keys came in that epoch and are not
   * wrapped in a later one, it ended after `since`, and the server was in the group all along. What comes later may find
   * the Group Key deleted (OCM-MLS R-175).
   */
  goneTooSoon(since: Date): Promise<{ readonly group: string; readonly epoch: number }[]> {
    return this.rows(
      `SELECT DISTINCT g.address AS "group", w.epoch::integer AS epoch FROM wrapped_key w
       JOIN federated_group g ON g.mls_group_id = w.mls_group_id AND g.state = 'active' AND g.epoch > w.epoch
       JOIN commit_log c ON c.mls_group_id = w.mls_group_id AND c.epoch = w.epoch AND c.recorded_at > $1
         AND w.received_at < c.recorded_at
         AND g.epoch - w.epoch = (SELECT count(*) FROM commit_log s
           WHERE s.mls_group_id = w.mls_group_id AND s.epoch >= w.epoch AND s.epoch < g.epoch)
       WHERE NOT EXISTS (
         SELECT 1 FROM earlier_group_key k WHERE k.mls_group_id = w.mls_group_id AND k.epoch = w.epoch)`,
      [since],
    );
  }

  /** When the file keys that the server holds were said, by whom and in which group. */
  async keyOrders(): Promise<ReadonlyMap<string, MessageOrder>> {
    const rows = await this.rows<MessageOrder & { place: string }>(
      `SELECT concat_ws(' ', sender_host, resource_id, group_address) AS place, instance, history,
         epoch::integer AS epoch, generation::integer AS generation, speaker FROM wrapped_key`,
    );
    return new Map(rows.map(({ place, ...order }) => [place, order]));
  }

  async blocked(processes: readonly number[]): Promise<readonly number[]> {
    const found = await this.rows<{ pid: number }>(
      'SELECT pid FROM unnest($1::integer[]) AS pid WHERE cardinality(pg_blocking_pids(pid)) > 0',
      [processes],
    );
    return found.map(({ pid }) => pid);
  }

  async end(process: number): Promise<void> {
    await this.rows('SELECT pg_terminate_backend($1)', [process]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.destroy();
  }
}
