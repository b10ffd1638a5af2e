import { Injectable } from '@nestjs/common';
import { Column, Entity, type FindOptionsWhere, MoreThanOrEqual, PrimaryColumn, Raw } from 'typeorm';
import { Clock } from '../kernel/clock.js';
import type { AuditEntry, AuditRecord, Refusal } from './audit-entry.js';
import { Log } from './logger.service.js';
import type { Tx } from './transaction.service.js';

/** Append-only: the database refuses to change or delete a row. Nothing refers to others, so it outlives what it tells of. */
@Entity('audit_log')
export class AuditRow {
  @PrimaryColumn({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' }) number!: string;
  @Column('timestamptz') at!: Date;
  @Column('text') act!: string;
  @Column('text', { nullable: true }) actor!: string | null;
  @Column('text', { nullable: true }) subject!: string | null;
  @Column('text', { name: 'mls_group_id', nullable: true }) mlsGroupId!: string | null;
  @Column('text', { name: 'group_address', nullable: true }) groupAddress!: string | null;
  @Column('bigint', { nullable: true }) epoch!: string | null;
  @Column('text', { nullable: true }) digest!: string | null;
  @Column('text', { nullable: true }) code!: string | null;
  @Column('jsonb') facts!: Record<string, unknown>;
  @Column('text', { name: 'api_key', nullable: true }) apiKey!: string | null;
  @Column('text', { nullable: true }) request!: string | null;
}

export interface AuditFilter {
  /** The group's OCM Address. */
  readonly group?: string;
  readonly since?: Date;
}

/** "audit" in ASCII. Shared by all who write; whoever has it alone knows that no entry with a lower number is to come. */
const LOCK = '418581342580';

const HOUR_MS = 3_600_000;
const MOST_REFUSALS_AN_HOUR = 100;

/** Who did what, when, and what was refused: written in the transaction of what it tells of. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async record(tx: Tx, entry: AuditEntry): Promise<void> {
    await this.insert(tx, entry, 'true');
  }

  /**
   * The same, in a transaction of its own, since that of what was refused is rolled back. The same refusal once an hour,
   * and a hundred an hour of one actor: who is refused must not be able to fill the log.
   */
  async recordRefusal(tx: Tx, refusal: Refusal): Promise<void> {
    const lately = `SELECT 1 FROM audit_log WHERE code IS NOT NULL AND actor = $3 AND at > $13`;
    const same = `act = $2 AND code = $9 AND subject IS NOT DISTINCT FROM $4 AND mls_group_id IS NOT DISTINCT FROM $5`;
    await this.insert(
      tx,
      refusal,
      `NOT EXISTS (${lately} AND ${same}) AND (SELECT count(*) FROM (${lately} LIMIT $14) AS few) < $14`,
      [new Date(this.clock.now().getTime() - HOUR_MS), MOST_REFUSALS_AN_HOUR],
    );
  }

  /** The highest number below which all entries are there: of two writers the one with the lower number may commit last. */
  async complete(tx: Tx): Promise<number> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const [row] = await tx.query<{ number: string | null }[]>('SELECT max(number) AS number FROM audit_log');
    return Number(row?.number ?? 0);
  }

  /** In the order of their numbers, from after `after` up to `upTo`. */
  async page(
    tx: Tx,
    { after, upTo, most }: { readonly after: number; readonly upTo: number; readonly most: number },
    { group, since }: AuditFilter,
  ): Promise<AuditRecord[]> {
    const between = Raw((column) => `${column} > :after AND ${column} <= :upTo`, { after, upTo });
    const where: FindOptionsWhere<AuditRow> = {
      number: between,
      ...(group === undefined ? {} : { groupAddress: group }),
      ...(since === undefined ? {} : { at: MoreThanOrEqual(since) }),
    };
    return (await tx.find(AuditRow, { where, order: { number: 'ASC' }, take: most })).map(toRecord);
  }

  private async insert(tx: Tx, entry: AuditEntry, condition: string, more: readonly unknown[] = []): Promise<void> {
    // The lock first, the number second: a CTE that is materialized is read before its row is written out.
    await tx.query(
      `WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(${LOCK}))
       INSERT INTO audit_log
         (at, act, actor, subject, mls_group_id, group_address, epoch, digest, code, facts, api_key, request)
       SELECT $1::timestamptz, $2, $3, $4, $5, $6, $7::bigint, $8, $9, $10::jsonb, $11, $12 FROM held WHERE ${condition}`,
      [
        this.clock.now(),
        entry.act,
        entry.actor ?? null,
        entry.subject ?? null,
        entry.group?.mlsGroupId ?? null,
        entry.group?.address ?? null,
        entry.epoch ?? null,
        entry.digest ?? null,
        entry.code ?? null,
        JSON.stringify(entry.facts ?? {}),
        this.log.caller ?? null,
        this.log.requestId ?? null,
        ...more,
      ],
    );
  }
}

const toRecord = ({ number, epoch, groupAddress, ...row }: AuditRow): AuditRecord => ({
  number: Number(number),
  at: row.at,
  act: row.act,
  actor: row.actor,
  subject: row.subject,
  group: groupAddress,
  mlsGroupId: row.mlsGroupId,
  epoch: epoch === null ? null : Number(epoch),
  digest: row.digest,
  code: row.code,
  facts: row.facts,
  apiKey: row.apiKey,
  request: row.request,
});
