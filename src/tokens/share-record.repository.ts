import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host } from '../kernel/address.js';
import { fromUtf8, utf8 } from '../kernel/bytes.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import type { Allocated, NoticeWithoutSecret, ShareRecord } from './share-record.js';

@Entity('share_record')
export class ShareRecordRow {
  @PrimaryColumn('text', { name: 'provider_id' }) providerId!: string;
  @PrimaryColumn('text', { name: 'protocol_server' }) protocolServer!: string;
  @Column('text', { name: 'integration_api' }) integrationApi!: string;
  @Column('uuid', { name: 'share_id' }) shareId!: string;
  @Column('text') recipient!: string;
  @Column('jsonb') notice!: NoticeWithoutSecret;
  @Column('integer') version!: number;
  @Column('text') state!: ShareRecord['state'];
  /** Whether the member server was given a secret for it. */
  @Column('boolean') granted!: boolean;
  @Column('text', { nullable: true }) allocated!: string | null;
  /** Sealed, until the notice has it: of the server that issues tokens. */
  @Column('bytea', { nullable: true }) secret!: Buffer | null;
  @Column('boolean', { default: false }) issues!: boolean;
  @Column('text', { nullable: true }) why!: string | null;
  @Column('integer') tries!: number;
  @Column('timestamptz', { name: 'next_try_at' }) nextTryAt!: Date;
  /** Until then somebody may be telling it; who tells it something else waits. */
  @Column('timestamptz', { name: 'leased_until', nullable: true }) leasedUntil!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

type New = Pick<
  ShareRecord,
  'providerId' | 'protocolServer' | 'integrationApi' | 'shareId' | 'recipient' | 'notice' | 'issues'
>;

/** Which records a statement is about. */
export type Records =
  | { readonly providerId: string }
  | { readonly shareId: string }
  | { readonly shareId: string; readonly recipient: Host };

const AS_RECORD = `provider_id AS "providerId", protocol_server AS "protocolServer", integration_api AS "integrationApi",
  share_id AS "shareId", recipient, notice, version, state, granted, allocated, secret, issues, why, tries, next_try_at AS "nextTryAt",
  leased_until AS "leasedUntil", created_at AS "createdAt"`;

/** Of those for which more holds; nothing else is told while somebody may be telling one something. */
const REVOKING = `UPDATE share_record SET state = 'revoking', tries = 0, why = NULL, next_try_at = greatest(leased_until, $1)
  WHERE state <> 'revoking'`;

/** What protocol servers know, should know, or have to forget. */
@Injectable()
export class ShareRecordRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'share_record', column: 'secret', row: ['provider_id', 'protocol_server'] });
  }

  async add(tx: Tx, records: readonly New[], at: Date): Promise<void> {
    const fresh = {
      version: 1,
      state: 'due' as const,
      granted: false,
      allocated: null,
      secret: null,
      why: null,
      tries: 0,
    };
    await tx.insert(
      ShareRecordRow,
      records.map((record) => ({ ...record, ...fresh, nextTryAt: at, leasedUntil: null, createdAt: at })),
    );
  }

  /** Of one providerId, in the order of the protocol servers' names. */
  async of(tx: Tx, providerId: string): Promise<ShareRecord[]> {
    const rows = await tx.find(ShareRecordRow, { where: { providerId }, order: { protocolServer: 'ASC' } });
    return rows.map(toRecord);
  }

  /** The providerId under which a share was made ready for a member server that has not been told of it. */
  async ready(tx: Tx, shareId: string, recipient: Host): Promise<string | undefined> {
    const [row] = await tx.query<{ id: string }[]>(
      `SELECT provider_id AS id FROM share_record
       WHERE share_id = $1 AND recipient = $2 AND NOT granted AND state <> 'revoking' ORDER BY created_at DESC LIMIT 1`,
      [shareId, recipient],
    );
    return row?.id;
  }

  /** Whether nobody is to forget what was made ready under a providerId, which stays so until the transaction ends. */
  async isReady(tx: Tx, providerId: string): Promise<boolean> {
    const rows = await tx.query<Pick<ShareRecord, 'state'>[]>(
      'SELECT state FROM share_record WHERE provider_id = $1 ORDER BY protocol_server FOR UPDATE',
      [providerId],
    );
    return rows.length > 0 && rows.every(({ state }) => state !== 'revoking');
  }

  /** What was sealed is given away now, and kept no longer. Returns the secret of the server that issues tokens, if any. */
  async granted(tx: Tx, providerId: string): Promise<string | undefined> {
    const row = await tx.findOneBy(ShareRecordRow, { providerId, issues: true });
    const secret =
      row?.secret &&
      fromUtf8(this.vault.open(new Uint8Array(row.secret), this.purpose(providerId, row.protocolServer)));
    await tx.update(ShareRecordRow, { providerId }, { granted: true, secret: null });
    return secret ?? undefined;
  }

  /** Whether `protocolServer` has the record, so that it needs to be told nothing of the share. OCM-IP, Token Introspection */
  async isStored(tx: Tx, providerId: string, protocolServer: string): Promise<boolean> {
    return tx.existsBy(ShareRecordRow, { providerId, protocolServer, state: 'stored' });
  }

  /** All records of a share are to be stored with other permissions. */
  async change(tx: Tx, shareId: string, permissions: readonly string[], at: Date): Promise<void> {
    await tx.query(
      `UPDATE share_record SET version = version + 1, state = 'due', next_try_at = $3, tries = 0,
         notice = jsonb_set(notice, '{protocol,webdav,permissions}', $2::jsonb)
       WHERE share_id = $1 AND state <> 'revoking'`,
      [shareId, JSON.stringify(permissions), at],
    );
  }

  /** They are to be forgotten, as soon as nobody can be telling them something else. */
  async revoke(tx: Tx, which: Records, at: Date): Promise<void> {
    const { providerId = null, shareId = null, recipient = null } = which as Partial<Record<string, string>>;
    await tx.query(`${REVOKING} AND (provider_id = $2 OR share_id = $3 AND ($4::text IS NULL OR recipient = $4))`, [
      at,
      providerId,
      shareId,
      recipient,
    ]);
  }

  /** What was made ready for a notice that nobody wrote within the time. */
  async revokeUnused(tx: Tx, before: Date, at: Date): Promise<void> {
    await tx.query(`${REVOKING} AND NOT granted AND created_at < $2`, [at, before]);
  }

  /** Those of one providerId that have to be told, for whoever tells them until `until`. */
  async lease(tx: Tx, providerId: string, at: Date, until: Date): Promise<ShareRecord[]> {
    const [rows] = (await tx.query(
      `UPDATE share_record SET leased_until = $3, tries = tries + 1
       WHERE provider_id = $1 AND state = 'due' AND (leased_until IS NULL OR leased_until <= $2) RETURNING ${AS_RECORD}`,
      [providerId, at, until],
    )) as [ShareRecordRow[], number];
    return rows.map(toRecord);
  }

  /** One that is to be forgotten, or told something new after its notice, for whoever does so until `until`. */
  async take(tx: Tx, at: Date, until: Date): Promise<ShareRecord | undefined> {
    const [rows] = (await tx.query(
      `UPDATE share_record SET leased_until = $2, next_try_at = $2, tries = tries + 1
       WHERE (provider_id, protocol_server) = (
         SELECT provider_id, protocol_server FROM share_record
         WHERE next_try_at <= $1 AND (state = 'revoking' OR state = 'due' AND granted)
           AND (leased_until IS NULL OR leased_until <= $1)
         ORDER BY next_try_at, provider_id, protocol_server LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING ${AS_RECORD}`,
      [at, until],
    )) as [ShareRecordRow[], number];
    return rows[0] && toRecord(rows[0]);
  }

  /** It was acknowledged, unless it changed in the meantime. */
  async stored(tx: Tx, { providerId, protocolServer, version }: ShareRecord, allocated: Allocated): Promise<void> {
    const { uri, sharedSecret } = allocated;
    const sealed = sharedSecret && this.vault.seal(utf8(sharedSecret), this.purpose(providerId, protocolServer));
    await tx.query(
      `UPDATE share_record SET leased_until = NULL, allocated = coalesce($4, allocated), why = NULL,
         secret = CASE WHEN granted THEN NULL ELSE $5::bytea END,
         state = CASE WHEN state = 'due' AND version = $3 THEN 'stored' ELSE state END
       WHERE provider_id = $1 AND protocol_server = $2`,
      [providerId, protocolServer, version, uri ?? null, sealed ? Buffer.from(sealed) : null],
    );
  }

  async failed(tx: Tx, { providerId, protocolServer }: ShareRecord, why: string, nextTryAt: Date): Promise<void> {
    await tx.query(
      `UPDATE share_record SET leased_until = NULL, why = $3,
         next_try_at = CASE WHEN tries > 0 THEN $4 ELSE next_try_at END
       WHERE provider_id = $1 AND protocol_server = $2`,
      [providerId, protocolServer, why, nextTryAt],
    );
  }

  async forget(tx: Tx, { providerId, protocolServer }: ShareRecord): Promise<void> {
    await tx.delete(ShareRecordRow, { providerId, protocolServer, state: 'revoking' });
  }

  async countByState(tx: Tx): Promise<{ state: ShareRecord['state']; count: number }[]> {
    const rows = await tx.query<{ state: ShareRecord['state']; count: string }[]>(
      'SELECT state, count(*) AS count FROM share_record GROUP BY state',
    );
    return rows.map(({ state, count }) => ({ state, count: Number(count) }));
  }
}

const toRecord = ({ allocated, ...row }: ShareRecordRow): ShareRecord => ({
  providerId: row.providerId,
  protocolServer: row.protocolServer,
  integrationApi: row.integrationApi,
  shareId: row.shareId,
  recipient: row.recipient as Host,
  notice: row.notice,
  version: row.version,
  state: row.state,
  tries: row.tries,
  issues: row.issues,
  ...(allocated === null ? {} : { allocated }),
});
