import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';
import { type PeerHealth, well } from './peer-health.js';

@Entity('outbox_peer')
export class PeerHealthRow {
  @PrimaryColumn('text') host!: string;
  @Column('text') state!: PeerHealth['state'];
  @Column('timestamptz') since!: Date;
  @Column('integer') failures!: number;
  @Column('timestamptz', { name: 'last_at', nullable: true }) lastAt!: Date | null;
  @Column('timestamptz', { name: 'next_try_at', nullable: true }) nextTryAt!: Date | null;
  @Column('text', { nullable: true }) reason!: string | null;
  @Column('text', { name: 'discovery_seen', nullable: true }) discoverySeen!: string | null;
  @Column('timestamptz', { name: 'served_at' }) servedAt!: Date;
}

export interface Peer {
  readonly host: Host;
  readonly health: PeerHealth;
}

const COLUMNS = `host, state, since, failures, last_at AS "lastAt", next_try_at AS "nextTryAt", reason,
  discovery_seen AS "discoverySeen"`;
/** At a time, with so many lanes at most for each. */
const SERVABLE = `outbox_peer p
  WHERE (p.state = 'healthy' OR p.next_try_at <= $1)
    AND EXISTS (SELECT 1 FROM outbox_lane l
      WHERE l.peer = p.host AND l.due_at <= $1 AND (l.leased_until IS NULL OR l.leased_until <= $1))
    AND (SELECT count(*) FROM outbox_lane b WHERE b.peer = p.host AND b.leased_until > $1)
      < CASE p.state WHEN 'healthy' THEN $2::integer ELSE 1 END`;

/** Peers that were ever written to, and how they are. Rows are locked after those of lanes, or with lanes not waited for. */
@Injectable()
export class PeerHealthRepository {
  /** A peer that was never written to is well. */
  async know(tx: Tx, host: Host, at: Date): Promise<void> {
    await tx.query(
      `INSERT INTO outbox_peer (host, state, since, failures, served_at) VALUES ($1, 'healthy', $2, 0, $2)
       ON CONFLICT DO NOTHING`,
      [host, at],
    );
  }

  /** Whether there is a peer that may be tried and has a lane free. */
  async hasNext(tx: Tx, at: Date, mostLanes: number): Promise<boolean> {
    return (await tx.query<unknown[]>(`SELECT 1 FROM ${SERVABLE} LIMIT 1`, [at, mostLanes])).length > 0;
  }

  /**
   * The peer that waited longest for a courier, of those that may be tried and have a lane free, locked and moved to
   * the end of the queue. While its row is locked nobody else claims one of its lanes.
   * @param but peers to pass over
   */
  async next(tx: Tx, at: Date, mostLanes: number, but: readonly Host[]): Promise<Peer | undefined> {
    const [[row]] = (await tx.query(
      `UPDATE outbox_peer SET served_at = $1 WHERE host = (
         SELECT p.host FROM ${SERVABLE} AND p.host <> ALL ($3::text[])
         ORDER BY p.served_at, p.host LIMIT 1 FOR NO KEY UPDATE)
       RETURNING ${COLUMNS}`,
      [at, mostLanes, but],
    )) as [PeerHealthRow[], number];
    return row && toPeer(row);
  }

  async lock(tx: Tx, host: Host): Promise<PeerHealth | undefined> {
    const [row] = (await tx.query(`SELECT ${COLUMNS} FROM outbox_peer WHERE host = $1 FOR NO KEY UPDATE`, [
      host,
    ])) as PeerHealthRow[];
    return row && toPeer(row).health;
  }

  async find(tx: Tx, host: Host): Promise<Peer | undefined> {
    const row = await tx.findOneBy(PeerHealthRow, { host });
    return row ? toPeer(row) : undefined;
  }

  async all(tx: Tx): Promise<Peer[]> {
    return (await tx.find(PeerHealthRow, { order: { host: 'ASC' } })).map(toPeer);
  }

  /** Peers to which policy let nothing go when it was asked last. */
  async withheld(tx: Tx): Promise<Host[]> {
    const rows = await tx.find(PeerHealthRow, { where: { state: 'withheld' }, order: { host: 'ASC' } });
    return rows.map(({ host }) => host as Host);
  }

  /** Policy is to be asked again at once. */
  async hasten(tx: Tx, host: Host, at: Date): Promise<void> {
    await tx.query(
      `UPDATE outbox_peer SET next_try_at = $2 WHERE host = $1 AND state = 'withheld' AND next_try_at > $2`,
      [host, at],
    );
  }

  async save(tx: Tx, host: Host, health: PeerHealth): Promise<void> {
    await tx.update(PeerHealthRow, { host }, toColumns(health));
  }

  /** Marks the peer well. Returns how many times in a row it had failed before. */
  async recover(tx: Tx, host: Host, at: Date): Promise<number> {
    const { state, since, failures, ...cleared } = toColumns(well(at));
    const before = (await tx.query(
      `SELECT failures FROM outbox_peer WHERE host = $1 AND state <> $2 FOR NO KEY UPDATE`,
      [host, state],
    )) as { failures: number }[];
    if (before[0]) await tx.update(PeerHealthRow, { host }, { state, since, failures, ...cleared });
    return before[0]?.failures ?? 0;
  }
}

const toColumns = (health: PeerHealth) => ({
  state: health.state,
  since: health.since,
  failures: health.state === 'failing' ? health.failures : 0,
  lastAt: health.state === 'healthy' ? null : health.lastAt,
  nextTryAt: health.state === 'healthy' ? null : health.nextTryAt,
  reason: health.state === 'healthy' ? null : health.reason,
  discoverySeen: health.state === 'unsupported' ? health.discoverySeen : null,
});

function toPeer(row: PeerHealthRow): Peer {
  const { state, since, failures } = row;
  const host = row.host as Host;
  if (state === 'healthy') return { host, health: { state, since } };
  const trouble = { since, lastAt: row.lastAt!, nextTryAt: row.nextTryAt!, reason: row.reason! };
  if (state === 'withheld') return { host, health: { state, ...trouble } };
  return state === 'failing'
    ? { host, health: { state, ...trouble, failures } }
    : { host, health: { state, ...trouble, discoverySeen: row.discoverySeen! } };
}
