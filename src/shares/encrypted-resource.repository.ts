import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { OcmAddress } from '../kernel/address.js';
import type { Cipher } from '../content/cipher.js';
import { type FileKey, fileKey } from '../content/file-key.js';
import { FORMAT } from '../content/stream-header.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import type { Tx } from '../platform/transaction.service.js';
import { Vault } from '../platform/vault.service.js';

/** A file or folder of this server that is encrypted, with its file key, sealed. D-28 */
@Entity('encrypted_resource')
export class EncryptedResourceRow {
  @PrimaryColumn('uuid', { name: 'resource_id' }) resourceId!: string;
  @Column('text', { name: 'efss_id' }) efssId!: string;
  @Column('text') cipher!: Cipher;
  @Column('bytea', { name: 'file_key' }) fileKey!: Buffer;
  @Column('integer') version!: number;
  @Column('timestamptz', { name: 'made_at' }) madeAt!: Date;
  @Column('timestamptz', { name: 'keyed_at' }) keyedAt!: Date;
}

export interface EncryptedResource {
  /** By which all groups know it, whatever shares it is in, and which is no providerId. OCM-MLS */
  readonly resourceId: string;
  /** By which the file platform behind us knows it. */
  readonly efssId: string;
  /** The same as long as there is a ciphertext. OCM-MLS R-164 */
  readonly cipher: Cipher;
  /** Which of its file keys is the one in use, from 1 on. */
  readonly version: number;
  readonly madeAt: Date;
  /** Since when the file key is in use. */
  readonly keyedAt: Date;
}

/** As shares of it say. */
export const encryptionOf = ({ resourceId, cipher }: EncryptedResource): MlsEncryption => ({
  scheme: 'ocm-mls',
  resourceId,
  cipher,
  format: FORMAT,
});

/** What goes to a group: the file key of one of its resources. */
export interface SharedKey {
  readonly resourceId: string;
  readonly key: FileKey;
}

@Injectable()
export class EncryptedResourceRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({
      table: 'encrypted_resource',
      column: 'file_key',
      row: ['resource_id', 'version'],
    });
  }

  /** Locked: whoever makes a file key for a resource is the only one. */
  async lock(tx: Tx, efssId: string): Promise<EncryptedResource | undefined> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`encrypted_resource ${efssId}`]);
    const row = await tx.findOneBy(EncryptedResourceRow, { efssId });
    return row ? toResource(row) : undefined;
  }

  async add(tx: Tx, resource: EncryptedResource, key: FileKey): Promise<void> {
    await tx.insert(EncryptedResourceRow, { ...resource, fileKey: this.seal(resource, key) });
  }

  async byId(tx: Tx, resourceId: string): Promise<EncryptedResource | undefined> {
    const row = await tx.findOneBy(EncryptedResourceRow, { resourceId });
    return row ? toResource(row) : undefined;
  }

  async key(tx: Tx, resourceId: string): Promise<FileKey | undefined> {
    const row = await tx.findOneBy(EncryptedResourceRow, { resourceId });
    return row ? this.open(row) : undefined;
  }

  /** The same resource under another file key. It is locked. */
  async exchange(tx: Tx, resource: EncryptedResource, key: FileKey): Promise<void> {
    const { resourceId, version, keyedAt } = resource;
    await tx.update(EncryptedResourceRow, { resourceId }, { version, keyedAt, fileKey: this.seal(resource, key) });
  }

  /** The groups that it is shared with, as long as that goes on. OCM-MLS R-191 */
  async groupsOf(tx: Tx, resourceId: string): Promise<OcmAddress[]> {
    const rows = await tx.query<{ group: OcmAddress }[]>(
      `SELECT DISTINCT group_address AS "group" FROM share
       WHERE ended_at IS NULL AND encryption->>'resourceId' = $1 ORDER BY 1`,
      [resourceId],
    );
    return rows.map(({ group }) => group);
  }

  /** The same for each of them that is shared with anybody. */
  async groupsOfEach(tx: Tx, resourceIds: readonly string[]): Promise<Map<string, OcmAddress[]>> {
    const rows = await tx.query<{ id: string; groups: OcmAddress[] }[]>(
      `SELECT encryption->>'resourceId' AS id, array_agg(DISTINCT group_address) AS groups FROM share
       WHERE ended_at IS NULL AND encryption->>'resourceId' = ANY ($1::text[]) GROUP BY 1`,
      [resourceIds],
    );
    return new Map(rows.map(({ id, groups }) => [id, groups]));
  }

  /** What is shared with the group, in the order of the ids; at most that many. */
  async idsSharedWith(tx: Tx, group: OcmAddress, after?: string, most?: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT DISTINCT encryption->>'resourceId' AS id FROM share
       WHERE group_address = $1 AND ended_at IS NULL AND encryption IS NOT NULL
         AND ($2::text IS NULL OR encryption->>'resourceId' > $2)
       ORDER BY 1 LIMIT $3`,
      [group, after ?? null, most ?? null],
    );
    return rows.map(({ id }) => id);
  }

  /** What is shared with anybody under a file key from before `before`. */
  async olderThan(tx: Tx, before: Date, most: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT e.resource_id AS id FROM encrypted_resource e
       WHERE e.keyed_at < $1 AND EXISTS (
         SELECT 1 FROM share s WHERE s.ended_at IS NULL AND s.encryption->>'resourceId' = e.resource_id::text)
         AND NOT EXISTS (
         SELECT 1 FROM file_key_rotation r WHERE r.resource_id = e.resource_id AND r.version > e.version)
       ORDER BY e.keyed_at LIMIT $2`,
      [before, most],
    );
    return rows.map(({ id }) => id);
  }

  /** The groups that it was shared with once, and is so no more. */
  async formerGroupsOf(tx: Tx, resourceId: string): Promise<OcmAddress[]> {
    const rows = await tx.query<{ group: OcmAddress }[]>(
      `SELECT group_address AS "group" FROM share WHERE encryption->>'resourceId' = $1
       GROUP BY 1 HAVING bool_and(ended_at IS NOT NULL) ORDER BY 1`,
      [resourceId],
    );
    return rows.map(({ group }) => group);
  }

  /** The file keys of what is shared with the group, a page in the order of their ids. OCM-MLS */
  async sharedWith(tx: Tx, group: OcmAddress, after: string | undefined, most: number): Promise<SharedKey[]> {
    const wanted = await this.idsSharedWith(tx, group, after, most);
    const rows = await tx.find(EncryptedResourceRow, {
      where: { resourceId: In(wanted) },
      order: { resourceId: 'ASC' },
    });
    return rows.map((row) => ({ resourceId: row.resourceId, key: this.open(row) }));
  }

  private seal({ resourceId, version }: EncryptedResource, { bytes }: FileKey): Buffer {
    return Buffer.from(this.vault.seal(bytes, this.purpose(resourceId, version)));
  }

  private open({ resourceId, version, cipher, fileKey: sealed }: EncryptedResourceRow): FileKey {
    return fileKey(cipher, this.vault.open(sealed, this.purpose(resourceId, version)));
  }
}

const toResource = ({ fileKey: _, ...resource }: EncryptedResourceRow): EncryptedResource => resource;
