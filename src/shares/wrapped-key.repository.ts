import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import { type MessageOrder, supersedes } from './message-order.js';

/** The file key of a resource of another server, as it came: the latest one for each resource and group. OCM-MLS R-029 */
@Entity('wrapped_key')
export class WrappedKeyRow {
  @PrimaryColumn('text', { name: 'sender_host' }) sender!: string;
  @PrimaryColumn('text', { name: 'resource_id' }) resourceId!: string;
  @PrimaryColumn('text', { name: 'group_address' }) group!: string;
  @Column('text', { name: 'mls_group_id' }) mlsGroupId!: string;
  @Column('bytea') wrapped!: Buffer;
  @Column('integer') instance!: number;
  @Column('integer') history!: number;
  @Column('bigint') epoch!: string;
  @Column('bigint') generation!: string;
  @Column('text') speaker!: string;
  @Column('timestamptz', { name: 'received_at' }) receivedAt!: Date;
}

/** Whose key for which group: no other server can say anything about it. D-17 */
export interface KeyPlace {
  readonly sender: Host;
  readonly group: OcmAddress;
}

export interface WrappedKey {
  readonly resourceId: string;
  readonly wrapped: Uint8Array;
  /** The group, not its address, in which it was said: a successor's is another. */
  readonly mlsGroupId: MlsGroupId;
  readonly order: MessageOrder;
}

@Injectable()
export class WrappedKeyRepository {
  /** Takes those that are later than what is held, and passes over the rest (OCM-MLS R-178). Returns how many it took. */
  async put(tx: Tx, { sender, group }: KeyPlace, keys: readonly WrappedKey[], at: Date): Promise<number> {
    if (keys.length === 0) return 0;
    const where = { sender, group, resourceId: In(keys.map(({ resourceId }) => resourceId)) };
    const held = new Map((await tx.findBy(WrappedKeyRow, where)).map((row) => [row.resourceId, orderOf(row)]));
    const later = new Map<string, WrappedKey>();
    for (const key of keys) {
      const known = later.get(key.resourceId)?.order ?? held.get(key.resourceId);
      if (supersedes(key.order, known)) later.set(key.resourceId, key);
    }
    const rows = [...later.values()].map(({ order, wrapped, ...key }) => ({
      ...key,
      ...order,
      sender,
      group,
      epoch: String(order.epoch),
      generation: String(order.generation),
      wrapped: Buffer.from(wrapped),
      receivedAt: at,
    }));
    for (let from = 0; from < rows.length; from += MOST_ROWS) {
      await tx.upsert(WrappedKeyRow, rows.slice(from, from + MOST_ROWS), ['sender', 'resourceId', 'group']);
    }
    return rows.length;
  }

  async find(tx: Tx, { sender, group }: KeyPlace, resourceId: string): Promise<WrappedKey | undefined> {
    const row = await tx.findOneBy(WrappedKeyRow, { sender, group, resourceId });
    if (!row) return undefined;
    const mlsGroupId = row.mlsGroupId as MlsGroupId;
    return { resourceId, wrapped: new Uint8Array(row.wrapped), mlsGroupId, order: orderOf(row) };
  }

  async count(tx: Tx, { sender, group }: KeyPlace): Promise<number> {
    return tx.countBy(WrappedKeyRow, { sender, group });
  }

  /** The earliest epoch in which a key was wrapped that is still the latest one of its resource. OCM-MLS R-174 */
  async earliestEpoch(tx: Tx, mlsGroupId: MlsGroupId): Promise<Epoch | undefined> {
    const [row] = await tx.query<{ epoch: string | null }[]>(
      `SELECT min(epoch) AS epoch FROM wrapped_key WHERE mls_group_id = $1`,
      [mlsGroupId],
    );
    return row?.epoch ? epoch(Number(row.epoch)) : undefined;
  }

  /** Of resources that nobody shares here, which came before `before`: their shares ended, or never came. */
  async tidy(tx: Tx, before: Date): Promise<void> {
    await tx.query(
      `DELETE FROM wrapped_key w WHERE w.received_at < $1 AND NOT EXISTS (
         SELECT 1 FROM received_share r WHERE r.group_address = w.group_address AND r.from_host = w.sender_host
           AND r.ended_at IS NULL AND r.encryption->>'resourceId' = w.resource_id)`,
      [before],
    );
  }
}

/** PostgreSQL takes 65,535 parameters a statement. */
const MOST_ROWS = 2_000;

const orderOf = ({ instance, history, epoch: at, generation, speaker }: WrappedKeyRow): MessageOrder => ({
  instance,
  history,
  epoch: epoch(Number(at)),
  generation: Number(generation),
  speaker: speaker as OcmAddress,
});
