import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';

/**
 * The order in which letters leave for a peer. `due_at` is empty when nothing waits, or when the lane is stopped. The
 * owner is another one with each claim: whose token is no longer in the row has lost the lane.
 */
@Entity('outbox_lane')
export class LaneRow {
  @PrimaryColumn('text') peer!: string;
  @PrimaryColumn('text') name!: string;
  @Column('bigint') tail!: string;
  @Column('timestamptz', { name: 'due_at', nullable: true }) dueAt!: Date | null;
  @Column('timestamptz', { name: 'stopped_at', nullable: true }) stoppedAt!: Date | null;
  @Column('uuid', { nullable: true }) owner!: string | null;
  @Column('timestamptz', { name: 'leased_until', nullable: true }) leasedUntil!: Date | null;
}

export interface LaneKey {
  readonly peer: Host;
  readonly lane: string;
}

export interface LaneState extends LaneKey {
  readonly dueAt: Date | null;
  readonly stoppedAt: Date | null;
  readonly leasedUntil: Date | null;
}

@Injectable()
export class LaneRepository {
  /**
   * The number of the next letter. The lane stays locked until the transaction ends, so that letters are numbered in
   * the order in which they become visible.
   */
  async extend(tx: Tx, { peer, lane }: LaneKey, at: Date): Promise<number> {
    const [{ tail }] = (await tx.query(
      `INSERT INTO outbox_lane (peer, name, tail, due_at) VALUES ($1, $2, 1, $3)
       ON CONFLICT (peer, name) DO UPDATE SET tail = outbox_lane.tail + 1,
         due_at = CASE WHEN outbox_lane.stopped_at IS NULL THEN coalesce(outbox_lane.due_at, excluded.due_at) END
       RETURNING tail`,
      [peer, lane, at],
    )) as [{ tail: string }];
    return Number(tail);
  }

  /** Takes the lane that has been due longest, unless `most` lanes of the peer are taken. The peer's row is locked. */
  async claim(
    tx: Tx,
    peer: Host,
    lease: { readonly owner: string; readonly at: Date; readonly until: Date },
    most: number,
  ): Promise<string | undefined> {
    const [[row]] = (await tx.query(
      `UPDATE outbox_lane SET owner = $2, leased_until = $4 WHERE peer = $1 AND name = (
         SELECT l.name FROM outbox_lane l
         WHERE l.peer = $1 AND l.due_at <= $3 AND (l.leased_until IS NULL OR l.leased_until <= $3)
           AND (SELECT count(*) FROM outbox_lane b WHERE b.peer = $1 AND b.leased_until > $3) < $5
         ORDER BY l.due_at, l.name LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING name`,
      [peer, lease.owner, lease.at, lease.until, most],
    )) as [{ name: string }[], number];
    return row?.name;
  }

  /** Locks the lane and tells whether this owner still has it. */
  async holds(tx: Tx, { peer, lane }: LaneKey, owner: string): Promise<boolean> {
    const [row] = (await tx.query(`SELECT owner FROM outbox_lane WHERE peer = $1 AND name = $2 FOR UPDATE`, [
      peer,
      lane,
    ])) as { owner: string | null }[];
    return row?.owner === owner;
  }

  /** The lane is locked and held. */
  async renew(tx: Tx, { peer, lane }: LaneKey, until: Date): Promise<void> {
    await tx.query(`UPDATE outbox_lane SET leased_until = $3 WHERE peer = $1 AND name = $2`, [peer, lane, until]);
  }

  /** The lane is locked and held. `dueAt`: when the next courier may take it; `null`: nothing waits. */
  async release(tx: Tx, { peer, lane }: LaneKey, dueAt: Date | null, stoppedAt: Date | null): Promise<void> {
    await tx.query(
      `UPDATE outbox_lane SET owner = NULL, leased_until = NULL, due_at = $3, stopped_at = $4
       WHERE peer = $1 AND name = $2`,
      [peer, lane, dueAt, stoppedAt],
    );
  }

  /** For the start of a process that has the database to itself: whoever held a lane is gone. */
  async releaseAll(tx: Tx): Promise<void> {
    await tx.query(`UPDATE outbox_lane SET owner = NULL, leased_until = NULL WHERE leased_until IS NOT NULL`);
  }

  /**
   * Locks lanes of the peer: the named one or all, in the order of their names. With `passOver` those that others have
   * locked are left out instead of waited for.
   */
  async lock(tx: Tx, peer: Host, lane: string | undefined, passOver = false): Promise<string[]> {
    const rows = (await tx.query(
      `SELECT name FROM outbox_lane WHERE peer = $1 AND ($2::text IS NULL OR name = $2)
       ORDER BY name FOR UPDATE ${passOver ? 'SKIP LOCKED' : ''}`,
      [peer, lane ?? null],
    )) as { name: string }[];
    return rows.map(({ name }) => name);
  }

  /** Locked lanes go now, be they stopped or waiting for their time. */
  async restart(tx: Tx, peer: Host, lanes: readonly string[], at: Date): Promise<void> {
    await tx.query(
      `UPDATE outbox_lane SET stopped_at = NULL, due_at = $3
       WHERE peer = $1 AND name = ANY ($2::text[]) AND (stopped_at IS NOT NULL OR due_at > $3)`,
      [peer, lanes, at],
    );
  }

  /** Lanes that wait for their time go now. Those that others have locked are passed over. */
  async hurry(tx: Tx, peer: Host, at: Date): Promise<void> {
    await tx.query(
      `UPDATE outbox_lane SET due_at = $2 WHERE peer = $1 AND name IN (
         SELECT name FROM outbox_lane WHERE peer = $1 AND due_at > $2 FOR UPDATE SKIP LOCKED)`,
      [peer, at],
    );
  }

  async of(tx: Tx, peer: Host): Promise<LaneState[]> {
    const rows = await tx.find(LaneRow, { where: { peer }, order: { name: 'ASC' } });
    return rows.map(({ name, dueAt, stoppedAt, leasedUntil }) => ({ peer, lane: name, dueAt, stoppedAt, leasedUntil }));
  }

  /** Forgets lanes without any letter. What is posted meanwhile gives the row a time, and so keeps it. */
  async prune(tx: Tx, most: number): Promise<number> {
    const [, count] = (await tx.query(
      `DELETE FROM outbox_lane WHERE due_at IS NULL AND stopped_at IS NULL AND leased_until IS NULL AND (peer, name) IN (
         SELECT l.peer, l.name FROM outbox_lane l
         WHERE l.due_at IS NULL AND l.stopped_at IS NULL AND l.leased_until IS NULL
           AND NOT EXISTS (SELECT 1 FROM outbox_letter t WHERE t.peer = l.peer AND t.lane = l.name)
         LIMIT $1)`,
      [most],
    )) as [unknown, number];
    return count;
  }
}
