import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RowPurpose } from '../platform/sealed-column.js';
import type { Tx } from '../platform/transaction.service.js';
import { Vault } from '../platform/vault.service.js';
import type { StopReason, Webhook } from './webhook.js';

/** `claims` grows with each one: who does not know the last number has lost the webhook. */
@Entity('webhook')
export class WebhookRow {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') url!: string;
  @Column('jsonb', { nullable: true }) types!: string[] | null;
  @Column('text', { name: 'group_address', nullable: true }) group!: string | null;
  @Column('bytea') secret!: Buffer;
  @Column('bytea', { name: 'earlier_secret', nullable: true }) earlierSecret!: Buffer | null;
  @Column('timestamptz', { name: 'earlier_until', nullable: true }) earlierUntil!: Date | null;
  @Column('text') state!: Webhook['state'];
  @Column('text', { nullable: true }) reason!: StopReason | null;
  @Column('bigint') position!: string;
  @Column('text') mark!: string;
  @Column('bigint') claims!: string;
  @Column('timestamptz', { name: 'leased_until', nullable: true }) leasedUntil!: Date | null;
  @Column('timestamptz', { name: 'due_at', nullable: true }) dueAt!: Date | null;
  @Column('integer') failures!: number;
  @Column('timestamptz', { name: 'failing_since', nullable: true }) failingSince!: Date | null;
  @Column('text', { name: 'last_outcome', nullable: true }) lastOutcome!: string | null;
  @Column('timestamptz', { name: 'delivered_at', nullable: true }) deliveredAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

/** A webhook taken for a while. */
export interface Claimed {
  readonly webhook: Webhook;
  readonly claim: string;
  readonly until: Date;
  /** That which signs first. */
  readonly secrets: readonly Uint8Array[];
}

/** Secrets are sealed. */
@Injectable()
export class WebhookRepository {
  private readonly purpose: RowPurpose;
  private readonly earlierPurpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'webhook', column: 'secret', row: ['id'] });
    this.earlierPurpose = vault.keep({ table: 'webhook', column: 'earlier_secret', row: ['id'] });
  }

  async add(tx: Tx, webhook: Webhook, secret: Uint8Array): Promise<void> {
    const sealed = Buffer.from(this.vault.seal(secret, this.purpose(webhook.id)));
    await tx.insert(WebhookRow, {
      ...toColumns(webhook),
      id: webhook.id,
      url: webhook.url,
      types: webhook.filter.types ? [...webhook.filter.types] : null,
      group: webhook.filter.group ?? null,
      secret: sealed,
      claims: '0',
      createdAt: webhook.createdAt,
    });
  }

  /** Oldest first. */
  async all(tx: Tx): Promise<Webhook[]> {
    return (await tx.find(WebhookRow, { order: { createdAt: 'ASC', id: 'ASC' } })).map(toWebhook);
  }

  async byId(tx: Tx, id: string): Promise<Webhook | undefined> {
    const row = await tx.findOneBy(WebhookRow, { id });
    return row ? toWebhook(row) : undefined;
  }

  async lock(tx: Tx, id: string): Promise<Webhook | undefined> {
    const row = await tx.findOne(WebhookRow, { where: { id }, lock: { mode: 'pessimistic_write' } });
    return row ? toWebhook(row) : undefined;
  }

  /** Locked. Whoever sends to it loses it: what is stored now is not overwritten. */
  async takeBack(tx: Tx, webhook: Webhook): Promise<void> {
    const claims = () => 'claims + 1';
    await tx.update(WebhookRow, { id: webhook.id }, { ...toColumns(webhook), claims, leasedUntil: null });
  }

  /** Locked. The secret before goes on signing until `until`; one that was before that does not. */
  async exchangeSecret(tx: Tx, id: string, secret: Uint8Array, until: Date): Promise<void> {
    const row = await tx.findOneByOrFail(WebhookRow, { id });
    const earlier = this.vault.open(row.secret, this.purpose(id));
    await tx.update(
      WebhookRow,
      { id },
      {
        secret: Buffer.from(this.vault.seal(secret, this.purpose(id))),
        earlierSecret: Buffer.from(this.vault.seal(earlier, this.earlierPurpose(id))),
        earlierUntil: until,
      },
    );
  }

  /** Those that sign at this time. */
  async secrets(tx: Tx, id: string, at: Date): Promise<Uint8Array[]> {
    const { secret, earlierSecret, earlierUntil } = await tx.findOneByOrFail(WebhookRow, { id });
    const current = this.vault.open(secret, this.purpose(id));
    if (!earlierSecret || !earlierUntil || earlierUntil <= at) return [current];
    return [current, this.vault.open(earlierSecret, this.earlierPurpose(id))];
  }

  async remove(tx: Tx, id: string): Promise<boolean> {
    const { affected } = await tx.delete(WebhookRow, { id });
    return affected === 1;
  }

  /** Whether there is one to take. */
  async waits(tx: Tx, at: Date): Promise<boolean> {
    return (await tx.query<unknown[]>(`SELECT 1 FROM webhook w WHERE ${TAKEABLE} LIMIT 1`, [at])).length > 0;
  }

  /**
   * Takes one that is behind the feed and due, for nobody else to send to until `until`. Compared with `=`: what stands
   * behind `IN` may be looked up more than once.
   */
  async claim(tx: Tx, at: Date, until: Date): Promise<Claimed | undefined> {
    const [[taken]] = (await tx.query(
      `UPDATE webhook SET claims = claims + 1, leased_until = $2 WHERE id = (
         SELECT w.id FROM webhook w WHERE ${TAKEABLE}
         ORDER BY coalesce(w.delivered_at, w.created_at), w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, claims`,
      [at, until],
    )) as [{ id: string; claims: string }[], number];
    if (!taken) return undefined;
    const webhook = (await this.byId(tx, taken.id))!;
    return { webhook, claim: taken.claims, until, secrets: await this.secrets(tx, taken.id, at) };
  }

  /** What came of it, unless it was lost meanwhile; kept until `until`, or given back. */
  async store(tx: Tx, webhook: Webhook, claim: string, until: Date | null): Promise<boolean> {
    const { affected } = await tx.update(
      WebhookRow,
      { id: webhook.id, claims: claim },
      { ...toColumns(webhook), leasedUntil: until },
    );
    return affected === 1;
  }

  /** For the start of a process that has the database to itself: whoever held one is gone. */
  async releaseAll(tx: Tx): Promise<void> {
    await tx.query('UPDATE webhook SET leased_until = NULL WHERE leased_until IS NOT NULL');
  }
}

/** Behind the feed, and due at $1. */
const TAKEABLE = `w.state = 'active' AND (w.leased_until IS NULL OR w.leased_until <= $1)
  AND (w.due_at IS NULL OR w.due_at <= $1) AND w.position < (SELECT position FROM feed_head)`;

const toColumns = ({ state, reason, cursor, failures, failingSince, dueAt, lastOutcome, deliveredAt }: Webhook) => ({
  state,
  reason: reason ?? null,
  position: String(cursor.position),
  mark: cursor.mark,
  failures,
  failingSince: failingSince ?? null,
  dueAt: dueAt ?? null,
  lastOutcome: lastOutcome ?? null,
  deliveredAt: deliveredAt ?? null,
});

const toWebhook = (row: WebhookRow): Webhook => ({
  id: row.id,
  url: row.url,
  filter: { ...(row.types ? { types: row.types } : {}), ...(row.group === null ? {} : { group: row.group }) },
  state: row.state,
  ...(row.reason === null ? {} : { reason: row.reason }),
  cursor: { position: Number(row.position), mark: row.mark },
  failures: row.failures,
  ...(row.failingSince ? { failingSince: row.failingSince } : {}),
  ...(row.dueAt ? { dueAt: row.dueAt } : {}),
  ...(row.lastOutcome === null ? {} : { lastOutcome: row.lastOutcome }),
  ...(row.deliveredAt ? { deliveredAt: row.deliveredAt } : {}),
  ...(row.earlierUntil ? { earlierSecretUntil: row.earlierUntil } : {}),
  createdAt: row.createdAt,
});
