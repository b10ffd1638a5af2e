import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Cipher } from '../content/cipher.js';
import { type FileKey, fileKey } from '../content/file-key.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import type { Tx } from '../platform/transaction.service.js';
import { Vault } from '../platform/vault.service.js';
import type { Rotation, RotationCause, RotationState } from './rotation.js';

/** The new key is here, sealed, from the moment that it was given out until it is the one in use. */
@Entity('file_key_rotation')
export class RotationRow {
  @PrimaryColumn('uuid', { name: 'resource_id' }) resourceId!: string;
  @PrimaryColumn('integer') version!: number;
  @Column('text') cause!: RotationCause;
  @Column('text') state!: RotationState;
  @Column('bytea', { name: 'file_key', nullable: true }) fileKey!: Buffer | null;
  @Column('bigint', { name: 'bytes_done' }) bytesDone!: string;
  @Column('bigint', { name: 'bytes_total', nullable: true }) bytesTotal!: string | null;
  @Column('timestamptz', { name: 'requested_at' }) requestedAt!: Date;
  @Column('timestamptz', { name: 'begun_at', nullable: true }) begunAt!: Date | null;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}

/** A group that is to get the new key. */
@Entity('file_key_delivery')
export class DeliveryRow {
  @PrimaryColumn('uuid', { name: 'resource_id' }) resourceId!: string;
  @PrimaryColumn('integer') version!: number;
  @PrimaryColumn('text', { name: 'group_address' }) group!: OcmAddress;
}

export interface RotationFilter {
  readonly state?: RotationState;
  /** The resource of the last one of the page before. */
  readonly after?: string;
}

/** New file keys, from the wish to the last group that got it. OCM-MLS section 8.10 */
@Injectable()
export class RotationRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'file_key_rotation', column: 'file_key', row: ['resource_id', 'version'] });
  }

  /** For resources that wait for a new key already that one will do. Returns for how many one is wanted anew. */
  async request(tx: Tx, resourceIds: readonly string[], cause: RotationCause, at: Date): Promise<number> {
    const wanted = await tx.query<unknown[]>(
      `INSERT INTO file_key_rotation (resource_id, version, cause, state, bytes_done, requested_at)
       SELECT resource_id, version + 1, $2, 'due', 0, $3 FROM encrypted_resource WHERE resource_id = ANY ($1::uuid[])
       ON CONFLICT DO NOTHING RETURNING 1`,
      [resourceIds, cause, at],
    );
    return wanted.length;
  }

  /** The latest one, locked. */
  async lock(tx: Tx, resourceId: string): Promise<Rotation | undefined> {
    const [row] = await tx.find(RotationRow, {
      where: { resourceId },
      order: { version: 'DESC' },
      take: 1,
      lock: { mode: 'pessimistic_write' },
    });
    return row ? toRotation(row) : undefined;
  }

  async save(tx: Tx, { resourceId, version, ...rest }: Rotation): Promise<void> {
    const { state, bytesDone, bytesTotal, begunAt, finishedAt } = rest;
    await tx.update(
      RotationRow,
      { resourceId, version },
      {
        state,
        begunAt,
        finishedAt,
        bytesDone: String(bytesDone),
        bytesTotal: bytesTotal === null ? null : String(bytesTotal),
        ...(state === 'under-way' ? {} : { fileKey: null }),
      },
    );
  }

  /** From here on the new key is known outside: the file may be encrypted with it at any time. */
  async begin(tx: Tx, due: Rotation, { bytes }: FileKey, begunAt: Date): Promise<Rotation> {
    const { resourceId, version } = due;
    const fileKey = Buffer.from(this.vault.seal(bytes, this.purpose(resourceId, version)));
    await tx.update(RotationRow, { resourceId, version }, { state: 'under-way', fileKey, begunAt });
    return { ...due, state: 'under-way', begunAt };
  }

  /** While the rotation is under way. */
  async newKey(tx: Tx, { resourceId, version }: Rotation, cipher: Cipher): Promise<FileKey | undefined> {
    const row = await tx.findOneBy(RotationRow, { resourceId, version });
    if (!row?.fileKey) return undefined;
    return fileKey(cipher, this.vault.open(row.fileKey, this.purpose(resourceId, version)));
  }

  /** The latest one of each resource, in the order of those. */
  async list(tx: Tx, { state, after }: RotationFilter, most: number): Promise<Rotation[]> {
    const query = tx.createQueryBuilder(RotationRow, 'rotation').orderBy('rotation.resourceId').limit(most);
    query.where(
      `NOT EXISTS (SELECT 1 FROM file_key_rotation later
         WHERE later.resource_id = rotation.resource_id AND later.version > rotation.version)`,
    );
    if (state) query.andWhere('rotation.state = :state', { state });
    else query.andWhere(`rotation.state <> 'done'`);
    if (after) query.andWhere('rotation.resourceId > :after', { after });
    return (await query.getMany()).map(toRotation);
  }

  async countByState(tx: Tx): Promise<{ state: RotationState; count: number }[]> {
    return tx.query(
      `SELECT state, count(*)::integer AS count FROM file_key_rotation WHERE state <> 'done' GROUP BY state`,
    );
  }

  async deliver(tx: Tx, { resourceId, version }: Rotation, groups: readonly OcmAddress[]): Promise<void> {
    await tx.query(
      `INSERT INTO file_key_delivery (resource_id, version, group_address) SELECT $1, $2, unnest($3::text[])`,
      [resourceId, version, groups],
    );
  }

  /** Whether there is a new key that not all groups got, or whose last one got it just now. */
  async isSending(tx: Tx): Promise<boolean> {
    const [row] = await tx.query<{ found: boolean }[]>(
      `SELECT EXISTS (SELECT 1 FROM file_key_delivery)
         OR EXISTS (SELECT 1 FROM file_key_rotation WHERE state = 'sending') AS found`,
    );
    return row!.found;
  }

  /** One that nobody else carries out, taken away. */
  async nextDelivery(tx: Tx): Promise<DeliveryRow | undefined> {
    const [[row]] = (await tx.query(
      `DELETE FROM file_key_delivery WHERE (resource_id, version, group_address) = (
         SELECT resource_id, version, group_address FROM file_key_delivery
         ORDER BY 1, 2, 3 LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING resource_id AS "resourceId", version, group_address AS "group"`,
    )) as [DeliveryRow[], number];
    return row;
  }

  /** What all groups got is done. */
  async sent(tx: Tx): Promise<void> {
    await tx.query(
      `UPDATE file_key_rotation r SET state = 'done' WHERE state = 'sending' AND NOT EXISTS (
         SELECT 1 FROM file_key_delivery d WHERE d.resource_id = r.resource_id AND d.version = r.version)`,
    );
  }
}

const toRotation = ({ fileKey: _, bytesDone, bytesTotal, ...row }: RotationRow): Rotation => ({
  ...row,
  bytesDone: Number(bytesDone),
  bytesTotal: bytesTotal === null ? null : Number(bytesTotal),
});
