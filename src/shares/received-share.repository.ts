import { Injectable } from '@nestjs/common';
import { Column, Entity, In, IsNull, LessThanOrEqual, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { fromUtf8, utf8 } from '../kernel/bytes.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import { type MessageOrder, supersedes } from './message-order.js';
import { receivedEvent, type ReceivedTold } from './share-events.js';
import type { ReceivedResource, ReceivedShare } from './received-share.js';

@Entity('received_share')
export class ReceivedShareRow {
  @PrimaryColumn('uuid') id!: string;
  @Column('text', { name: 'from_host' }) from!: string;
  @Column('text', { name: 'provider_id' }) providerId!: string;
  @Column('text') digest!: string;
  @Column('text', { name: 'group_address' }) group!: string;
  @Column('text') sender!: string;
  @Column('text') owner!: string;
  @Column('jsonb') resource!: ReceivedResource;
  @Column('jsonb', { nullable: true }) encryption!: MlsEncryption | null;
  @Column('bytea', { nullable: true }) secret!: Buffer | null;
  /** When its present secret was said. */
  @Column('jsonb', { name: 'secret_order', nullable: true }) secretOrder!: MessageOrder | null;
  @Column('timestamptz', { name: 'received_at' }) receivedAt!: Date;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'held_until', nullable: true }) heldUntil!: Date | null;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
}

/**
 * What other servers share with groups of our users. Secrets are sealed, and gone with the share. The feed is told of what
 * does not wait for its group.
 */
@Injectable()
export class ReceivedShareRepository {
  private readonly purpose: RowPurpose;

  constructor(
    private readonly vault: Vault,
    private readonly feed: FeedRecorder,
  ) {
    this.purpose = vault.keep({ table: 'received_share', column: 'secret', row: ['id'] });
  }

  /** Returns whether it is new: a server names each share once. */
  async add(tx: Tx, share: ReceivedShare, digest: string, secret: string): Promise<boolean> {
    const { expiration, heldUntil, encryption, endedAt: _, ...rest } = share;
    const { raw } = (await tx
      .createQueryBuilder()
      .insert()
      .into(ReceivedShareRow)
      .values({
        ...rest,
        encryption: encryption ?? null,
        digest,
        secret: Buffer.from(this.vault.seal(utf8(secret), this.purpose(share.id))),
        secretOrder: null,
        expiresAt: expiration ?? null,
        heldUntil: heldUntil ?? null,
        endedAt: null,
      })
      .orIgnore()
      .returning('id')
      .execute()) as { raw: unknown[] };
    if (raw.length === 1 && !heldUntil) await this.feed.record(tx, receivedEvent('received', share));
    return raw.length === 1;
  }

  async digest(tx: Tx, from: Host, providerId: string): Promise<string | undefined> {
    return (await tx.findOneBy(ReceivedShareRow, { from, providerId }))?.digest;
  }

  async byProvider(tx: Tx, from: Host, providerId: string): Promise<ReceivedShare | undefined> {
    const row = await tx.findOneBy(ReceivedShareRow, { from, providerId });
    return row ? toReceivedShare(row) : undefined;
  }

  /** Whether any of these names a share that this server announced, be it over. */
  async knows(tx: Tx, from: Host, providerIds: readonly string[]): Promise<boolean> {
    return tx.existsBy(ReceivedShareRow, { from, providerId: In([...providerIds]) });
  }

  async byId(tx: Tx, id: string): Promise<ReceivedShare | undefined> {
    const row = await tx.findOneBy(ReceivedShareRow, { id });
    return row ? toReceivedShare(row) : undefined;
  }

  /** Those with these groups that are not over at `at`, oldest first. */
  async live(tx: Tx, groups: readonly OcmAddress[], at: Date): Promise<ReceivedShare[]> {
    if (groups.length === 0) return [];
    const rows = await tx
      .createQueryBuilder(ReceivedShareRow, 'share')
      .where({ group: In([...groups]), endedAt: IsNull() })
      .andWhere('(share.expiresAt IS NULL OR share.expiresAt > :at)', { at })
      .orderBy('share.receivedAt')
      .addOrderBy('share.id')
      .getMany();
    return rows.map(toReceivedShare);
  }

  /** `undefined` when the share is over. */
  async secret(tx: Tx, id: string): Promise<string | undefined> {
    const row = await tx.findOneBy(ReceivedShareRow, { id });
    return row?.secret ? fromUtf8(this.vault.open(row.secret, this.purpose(id))) : undefined;
  }

  /** Another secret, unless one that was said later is held. Returns whether it was taken. OCM-MLS R-184 */
  async exchangeSecret(tx: Tx, id: string, secret: string, order?: MessageOrder): Promise<boolean> {
    const row = await tx.findOneBy(ReceivedShareRow, { id, endedAt: IsNull() });
    if (!row || (order && !supersedes(order, row.secretOrder ?? undefined))) return false;
    const sealed = Buffer.from(this.vault.seal(utf8(secret), this.purpose(id)));
    await tx.update(ReceivedShareRow, { id }, { secret: sealed, ...(order && { secretOrder: order }) });
    return true;
  }

  async change(tx: Tx, id: string, resource: ReceivedResource): Promise<void> {
    const changed = await tx.query<[Told[], number]>(
      `UPDATE received_share SET resource = $2 WHERE id = $1 RETURNING ${TOLD}`,
      [id, JSON.stringify(resource)],
    );
    await this.tell(tx, 'changed', changed);
  }

  /** What stays lets a notice that comes once more be known as an old one. */
  async end(tx: Tx, id: string, at: Date): Promise<void> {
    const ended = await tx.query<[Told[], number]>(
      `WITH was AS (SELECT id AS was_id, held_until AS was_held FROM received_share WHERE id = $1 AND ended_at IS NULL)
       UPDATE received_share SET ended_at = $2, secret = NULL, held_until = NULL FROM was WHERE id = was_id
       RETURNING ${SAID}, was_held IS NULL AS told`,
      [id, at],
    );
    await this.tell(tx, 'ended', ended);
  }

  /** How many wait for their group: of this server, and of all. */
  async held(tx: Tx, from: Host, at: Date): Promise<{ own: number; all: number }> {
    const [row] = await tx.query<{ own: string; all: string }[]>(
      `SELECT count(*) FILTER (WHERE from_host = $1) AS own, count(*) AS all FROM received_share WHERE held_until > $2`,
      [from, at],
    );
    return { own: Number(row!.own), all: Number(row!.all) };
  }

  /** The group has come, and with it these members: what they shared early waits no longer. */
  async release(tx: Tx, group: OcmAddress, members: readonly OcmAddress[]): Promise<void> {
    const released = await tx.query<[Told[], number]>(
      `UPDATE received_share SET held_until = NULL
       WHERE group_address = $1 AND held_until IS NOT NULL AND sender = ANY ($2::text[]) RETURNING ${TOLD}`,
      [group, members],
    );
    await this.tell(tx, 'received', released);
  }

  /** Whether there is anything to tidy. */
  isUntidy(tx: Tx, at: Date): Promise<boolean> {
    return tx.existsBy(ReceivedShareRow, [
      { heldUntil: LessThanOrEqual(at) },
      { endedAt: IsNull(), expiresAt: LessThanOrEqual(at) },
    ]);
  }

  /** Forgets what waited in vain, and ends what has expired. */
  async tidy(tx: Tx, at: Date): Promise<void> {
    await tx.query('DELETE FROM received_share WHERE held_until <= $1', [at]);
    const expired = await tx.query<[Told[], number]>(
      `WITH was AS (SELECT id AS was_id, held_until AS was_held FROM received_share
         WHERE ended_at IS NULL AND expires_at <= $1)
       UPDATE received_share SET ended_at = $1, secret = NULL, held_until = NULL FROM was WHERE id = was_id
       RETURNING ${SAID}, was_held IS NULL AS told`,
      [at],
    );
    await this.tell(tx, 'ended', expired);
  }

  private async tell(tx: Tx, what: 'received' | 'changed' | 'ended', [rows]: [Told[], number]): Promise<void> {
    await this.feed.record(tx, ...rows.filter(({ told }) => told).map((row) => receivedEvent(what, row)));
  }

  async countByState(tx: Tx): Promise<{ open: number; held: number; ended: number }> {
    const [row] = (await tx.query(
      `SELECT count(*) FILTER (WHERE ended_at IS NULL AND held_until IS NULL) AS open,
         count(held_until) AS held, count(ended_at) AS ended FROM received_share`,
    )) as Record<'open' | 'held' | 'ended', string>[];
    return { open: Number(row!.open), held: Number(row!.held), ended: Number(row!.ended) };
  }
}

/** What the feed says of a row, and whether it speaks of it: what waits for its group is nobody's yet. */
type Told = ReceivedTold & { readonly told: boolean };
const SAID = 'id, group_address AS "group", from_host AS "from", provider_id AS "providerId", sender, owner';
const TOLD = `${SAID}, ended_at IS NULL AND held_until IS NULL AS told`;

const toReceivedShare = (row: ReceivedShareRow): ReceivedShare => ({
  id: row.id,
  from: row.from as Host,
  providerId: row.providerId,
  group: row.group as OcmAddress,
  sender: row.sender as OcmAddress,
  owner: row.owner as OcmAddress,
  resource: row.resource,
  ...(row.encryption ? { encryption: row.encryption } : {}),
  receivedAt: row.receivedAt,
  ...(row.expiresAt ? { expiration: row.expiresAt } : {}),
  ...(row.heldUntil ? { heldUntil: row.heldUntil } : {}),
  ...(row.endedAt ? { endedAt: row.endedAt } : {}),
});
