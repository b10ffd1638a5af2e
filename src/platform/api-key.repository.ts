import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Any, Column, Entity, IsNull, PrimaryColumn } from 'typeorm';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import type { Tx } from './transaction.service.js';

/** A key for the REST interface, as it may be shown: without its text, of which only a hash is kept. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  /** The UTC day; nothing until it is used. */
  readonly lastUsedOn: string | null;
  readonly revokedAt: Date | null;
}

@Entity('api_key')
export class ApiKeyRow {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('bytea', { unique: true }) hash!: Buffer;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('date', { name: 'last_used_on', nullable: true }) lastUsedOn!: string | null;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
}

/** The text has 256 random bits, so a plain hash is enough. */
const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const toApiKey = ({ hash: _, ...rest }: ApiKeyRow): ApiKey => rest;

@Injectable()
export class ApiKeyRepository {
  constructor(
    private readonly clock: Clock,
    private readonly dice: Dice,
  ) {}

  /** A fresh text for a key. */
  mint(): string {
    return `covey_${this.dice.secret()}`;
  }

  async add(tx: Tx, name: string, text: string): Promise<ApiKey> {
    const row = tx.create(ApiKeyRow, {
      id: this.dice.uuid(),
      name,
      hash: hashOf(text),
      createdAt: this.clock.now(),
      lastUsedOn: null,
      revokedAt: null,
    });
    await tx.insert(ApiKeyRow, row);
    return toApiKey(row);
  }

  async all(tx: Tx): Promise<ApiKey[]> {
    return (await tx.find(ApiKeyRow, { order: { createdAt: 'ASC', id: 'ASC' } })).map(toApiKey);
  }

  /** The key with each text, in their order, unless it was revoked. */
  async byTexts(tx: Tx, texts: readonly string[]): Promise<(ApiKey | undefined)[]> {
    const hashes = new Map([...new Set(texts)].map((text) => [text, hashOf(text)]));
    const rows = await tx.findBy(ApiKeyRow, { hash: Any([...hashes.values()]), revokedAt: IsNull() });
    return texts.map((text) => {
      const row = rows.find(({ hash }) => hash.equals(hashes.get(text)!));
      return row && toApiKey(row);
    });
  }

  /** Whether this text was ever a key, be it revoked. */
  async knows(tx: Tx, text: string): Promise<boolean> {
    return tx.existsBy(ApiKeyRow, { hash: hashOf(text) });
  }

  async used(tx: Tx, id: string, day: string): Promise<void> {
    await tx.update(ApiKeyRow, { id }, { lastUsedOn: day });
  }

  /** The key, and whether this revoked it; undefined when there is none. Revoking it again changes nothing. */
  async revoke(tx: Tx, id: string): Promise<(ApiKey & { readonly now: boolean }) | undefined> {
    const { affected } = await tx.update(ApiKeyRow, { id, revokedAt: IsNull() }, { revokedAt: this.clock.now() });
    const row = await tx.findOneBy(ApiKeyRow, { id });
    return row ? { ...toApiKey(row), now: affected === 1 } : undefined;
  }
}
