import { Injectable } from '@nestjs/common';
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import type { Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import { type KeyPackageKind, type OwnKeyPackage, readPrivateKeys, writePrivateKeys } from './own-key-package.js';

/** A KeyPackage of a user of ours with its private keys, sealed, for as long as a Welcome for it may come. */
@Entity('key_package')
export class KeyPackageRow {
  @PrimaryColumn('text') ref!: string;
  @Column('text') address!: string;
  @Column('text') kind!: KeyPackageKind;
  @Column('bytea') public!: Buffer;
  @Column('bytea') private!: Buffer;
  @Column('text') state!: 'available' | 'handed-out';
  @Column('timestamptz', { name: 'handed_out_at', nullable: true }) handedOutAt!: Date | null;
  @Column('text', { name: 'handed_out_to', nullable: true }) handedOutTo!: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
}

/** How much a user lacks. */
export interface Shortage {
  readonly address: OcmAddress;
  readonly single: number;
  readonly lastResort: number;
}

/** Nobody is given one of a user who is not active. */
const GIVEABLE = `EXISTS (SELECT 1 FROM mls_client c WHERE c.address = key_package.address AND c.deactivated_at IS NULL)`;

/** Users with less than a stock that is good until a time. */
const SHORT = `mls_client c
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k.kind = 'single')::int AS single,
      count(*) FILTER (WHERE k.kind = 'last-resort')::int AS last_resort
    FROM key_package k WHERE k.address = c.address AND k.state = 'available' AND k.expires_at >= $2) s
  WHERE c.deactivated_at IS NULL AND (s.single < $1 OR s.last_resort < 1)`;

@Injectable()
export class KeyPackageRepository {
  private readonly purpose: RowPurpose;

  constructor(private readonly vault: Vault) {
    this.purpose = vault.keep({ table: 'key_package', column: 'private', row: ['ref'] });
  }

  /** @param givenTo who has it already; without that it is in stock */
  async add(tx: Tx, own: OwnKeyPackage, at: Date, givenTo?: string): Promise<void> {
    const plain = writePrivateKeys(own.privateKeys);
    await tx.insert(KeyPackageRow, {
      ref: own.ref,
      address: own.address,
      kind: own.kind,
      public: Buffer.from(own.message),
      private: Buffer.from(this.vault.seal(plain, this.purpose(own.ref))),
      state: givenTo === undefined ? 'available' : 'handed-out',
      ...(givenTo === undefined ? {} : { handedOutAt: at, handedOutTo: givenTo }),
      createdAt: at,
      expiresAt: own.expiresAt,
    });
    wipe(plain);
  }

  /**
   * Takes the oldest single-use KeyPackage that is valid until `until` at least, or the last-resort one when there is
   * none. What is taken is not given again (OCM-MLS ); of two that ask at once each gets another.
   */
  async handOut(tx: Tx, address: OcmAddress, to: Host, at: Date, until: Date): Promise<Uint8Array | undefined> {
    const [[taken]] = (await tx.query(
      `UPDATE key_package SET state = 'handed-out', handed_out_at = $2, handed_out_to = $3
       WHERE ref = (SELECT ref FROM key_package
         WHERE address = $1 AND kind = 'single' AND state = 'available' AND expires_at >= $4 AND ${GIVEABLE}
         ORDER BY expires_at, ref LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING public`,
      [address, at, to, until],
    )) as [{ public: Buffer }[], number];
    const [spare] = taken ? [taken] : await this.lastResort(tx, address, until);
    return spare ? new Uint8Array(spare.public) : undefined;
  }

  private lastResort(tx: Tx, address: OcmAddress, until: Date): Promise<{ public: Buffer }[]> {
    return tx.query(
      `SELECT public FROM key_package WHERE address = $1 AND kind = 'last-resort' AND expires_at >= $2 AND ${GIVEABLE}
       ORDER BY expires_at DESC, ref LIMIT 1`,
      [address, until],
    );
  }

  /** Of the KeyPackages that a Welcome names, those of ours; locked until the Welcome is joined or refused. */
  async lockAmong(tx: Tx, refs: readonly string[]): Promise<OwnKeyPackage[]> {
    const rows = await tx.find(KeyPackageRow, {
      where: { ref: In([...refs]) },
      order: { ref: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    return rows.map((row) => ({
      ref: row.ref,
      address: row.address as OcmAddress,
      kind: row.kind,
      message: new Uint8Array(row.public),
      privateKeys: readPrivateKeys(this.vault.open(row.private, this.purpose(row.ref))),
      expiresAt: row.expiresAt,
    }));
  }

  /** Its Welcome was joined: the private keys go, except those of a last resort. OCM-MLS */
  async used(tx: Tx, { ref, kind }: OwnKeyPackage): Promise<void> {
    if (kind === 'single') await tx.delete(KeyPackageRow, { ref });
  }

  /** Whatever is in stock may have been given before, and is not given again; its Welcome may still come. */
  async withdraw(tx: Tx, at: Date): Promise<void> {
    await tx.query(
      `UPDATE key_package SET state = 'handed-out', handed_out_at = $1, handed_out_to = 'unknown'
       WHERE kind = 'single' AND state = 'available'`,
      [at],
    );
  }

  /**
   * Active users who lack something; locked, so that two replicas do not fill the same stock. Valid counts only until `until`.
   * They are counted once more when they are locked: the statement that locks them may have counted before somebody filled up.
   */
  async shortages(tx: Tx, stock: number, until: Date, most: number): Promise<Shortage[]> {
    const found = await this.lacking(tx, stock, until, most);
    return found.length === 0 ? [] : this.lacking(tx, stock, until, most, found);
  }

  /** Whether there is such a user, though others may be making what is lacking. */
  async isShort(tx: Tx, stock: number, until: Date): Promise<boolean> {
    return (await tx.query<unknown[]>(`SELECT 1 FROM ${SHORT} LIMIT 1`, [stock, until])).length > 0;
  }

  private async lacking(
    tx: Tx,
    stock: number,
    until: Date,
    most: number,
    among?: readonly Shortage[],
  ): Promise<Shortage[]> {
    const rows = (await tx.query(
      `SELECT c.address, s.single, s.last_resort FROM ${SHORT}
         AND ($4::text[] IS NULL OR c.address = ANY ($4))
       LIMIT $3 FOR UPDATE OF c SKIP LOCKED`,
      [stock, until, most, among?.map(({ address }) => address) ?? null],
    )) as { address: OcmAddress; single: number; last_resort: number }[];
    return rows.map(({ address, single, last_resort }) => ({
      address,
      single: Math.max(0, stock - single),
      lastResort: last_resort < 1 ? 1 : 0,
    }));
  }

  /** A Welcome for these cannot come any more. */
  async removeExpired(tx: Tx, before: Date): Promise<void> {
    await tx.query(`DELETE FROM key_package WHERE expires_at < $1`, [before]);
  }

  async count(tx: Tx): Promise<{ kind: KeyPackageKind; count: number }[]> {
    return (await tx.query(
      `SELECT kind, count(*)::int AS count FROM key_package WHERE state = 'available' GROUP BY kind`,
    )) as { kind: KeyPackageKind; count: number }[];
  }
}
