import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import type { Locked } from '../groups/group.repository.js';
import type { Tx } from '../platform/transaction.service.js';
import { answerEvents } from './share-events.js';
import type { ShareServer, Untold } from './share-server.js';

@Entity('share_server')
export class ShareServerRow {
  @PrimaryColumn('uuid', { name: 'share_id' }) shareId!: string;
  @PrimaryColumn('text') server!: string;
  @Column('text') state!: ShareServer['state'];
  @Column('text', { name: 'provider_id', nullable: true, unique: true }) providerId!: string | null;
  @Column('text', { nullable: true }) why!: string | null;
  @Column('integer') tries!: number;
  @Column('timestamptz', { name: 'next_try_at', nullable: true }) nextTryAt!: Date | null;
  @Column('timestamptz') since!: Date;
}

/** How far each share has come at each member server: one row for the two of them. Answers are told to the feed. */
@Injectable()
export class ShareServerRepository {
  constructor(private readonly feed: FeedRecorder) {}

  /** What is stored for this share and server becomes `next`. */
  async put(tx: Tx, next: ShareServer): Promise<void> {
    const before = next.state === 'accepted' || next.state === 'declined' ? await this.placeOf(tx, next) : undefined;
    await tx.upsert(ShareServerRow, toRow(next), ['shareId', 'server']);
    if (before) await this.feed.record(tx, ...answerEvents(before.group, before.state, next));
  }

  private async placeOf(tx: Tx, { shareId, server }: ShareServer) {
    const [row] = await tx.query<{ group: OcmAddress; state: ShareServer['state'] | null }[]>(
      `SELECT s.group_address AS "group", t.state FROM share s
       LEFT JOIN share_server t ON t.share_id = s.share_id AND t.server = $2 WHERE s.share_id = $1`,
      [shareId, server],
    );
    return row;
  }

  async of(tx: Tx, shareIds: readonly string[]): Promise<ShareServer[]> {
    if (shareIds.length === 0) return [];
    const rows = await tx.find(ShareServerRow, { where: { shareId: In([...shareIds]) }, order: { server: 'ASC' } });
    return rows.map(toShareServer);
  }

  /** Locked, so that nobody announces what is being ended. */
  async lockAll(tx: Tx, shareId: string): Promise<ShareServer[]> {
    const rows = await tx.find(ShareServerRow, {
      where: { shareId },
      order: { server: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    return rows.map(toShareServer);
  }

  async lock(tx: Tx, shareId: string, server: Host): Promise<Locked<ShareServer> | undefined> {
    const row = await tx.findOne(ShareServerRow, { where: { shareId, server }, lock: { mode: 'pessimistic_write' } });
    return row ? (toShareServer(row) as Locked<ShareServer>) : undefined;
  }

  async lockByProvider(tx: Tx, server: Host, providerId: string): Promise<Locked<ShareServer> | undefined> {
    const row = await tx.findOne(ShareServerRow, {
      where: { providerId, server },
      lock: { mode: 'pessimistic_write' },
    });
    return row ? (toShareServer(row) as Locked<ShareServer>) : undefined;
  }

  /**
   * A server that waits to be told, put off until `until` in the same breath: who took it has that long to tell it, and
   * after a crash somebody else takes it. Compared with `=`, since what stands behind `IN` may be looked up more than once,
   * and would put off servers that nobody took.
   */
  async take(tx: Tx, at: Date, until: Date): Promise<Untold | undefined> {
    const [rows] = (await tx.query(
      `UPDATE share_server SET next_try_at = $2 WHERE (share_id, server) = (
         SELECT share_id, server FROM share_server WHERE next_try_at <= $1
         ORDER BY next_try_at, share_id, server LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING share_id AS "shareId", server, state, provider_id AS "providerId", why, tries,
         next_try_at AS "nextTryAt", since`,
      [at, until],
    )) as [ShareServerRow[], number];
    return rows[0] ? (toShareServer(rows[0]) as Untold) : undefined;
  }

  /** What was said to a server of shares with a group since then. */
  async toldSince(tx: Tx, group: OcmAddress, server: Host, since: Date): Promise<ShareServer[]> {
    const rows = await tx
      .createQueryBuilder(ShareServerRow, 'row')
      .where('row.server = :server AND row.since >= :since AND row.providerId IS NOT NULL', { server, since })
      .andWhere('row.share_id IN (SELECT share_id FROM share WHERE group_address = :group)', { group })
      .orderBy('row.since')
      .addOrderBy('row.shareId')
      .getMany();
    return rows.map(toShareServer);
  }

  async countByState(tx: Tx): Promise<{ state: ShareServer['state']; count: number }[]> {
    const rows = (await tx.query('SELECT state, count(*) AS count FROM share_server GROUP BY state')) as {
      state: ShareServer['state'];
      count: string;
    }[];
    return rows.map(({ state, count }) => ({ state, count: Number(count) }));
  }
}

const toRow = (row: ShareServer): ShareServerRow => ({
  shareId: row.shareId,
  server: row.server,
  state: row.state,
  providerId: 'providerId' in row ? row.providerId : null,
  why: 'why' in row ? row.why : null,
  tries: 'tries' in row ? row.tries : 0,
  nextTryAt: 'nextTryAt' in row ? row.nextTryAt : null,
  since: row.since,
});

/** What the database holds was written from a `ShareServer`; its constraints keep what each state has. */
const toShareServer = ({ providerId, why, tries, nextTryAt, ...row }: ShareServerRow): ShareServer =>
  ({
    ...row,
    ...(nextTryAt ? { tries, nextTryAt } : {}),
    ...(providerId === null ? {} : { providerId }),
    ...(why === null ? {} : { why }),
  }) as ShareServer;
