import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tx } from '../platform/transaction.service.js';
import type { ListedProvider } from './listed-provider.js';

/** What a Directory Service last said, verified, and how asking it went since. */
@Entity('trust_directory')
export class DirectoryRow {
  @PrimaryColumn('text') url!: string;
  @Column('text', { nullable: true }) federation!: string | null;
  /** Nothing until it was read once. */
  @Column('jsonb', { nullable: true }) providers!: readonly ListedProvider[] | null;
  @Column('integer') skipped!: number;
  @Column('text', { nullable: true }) etag!: string | null;
  /** The latest `iat` that was seen. */
  @Column('timestamptz', { name: 'issued_at', nullable: true }) issuedAt!: Date | null;
  @Column('timestamptz', { name: 'read_at', nullable: true }) readAt!: Date | null;
  /** The code of the last failure, when the last try was one. */
  @Column('text', { nullable: true }) failure!: string | null;
  @Column('integer') failures!: number;
  @Column('timestamptz', { name: 'next_try_at' }) nextTryAt!: Date;
}

@Injectable()
export class DirectoryRepository {
  /** Of those that are configured. */
  async all(tx: Tx, urls: readonly string[]): Promise<DirectoryRow[]> {
    if (urls.length === 0) return [];
    const rows = await tx.find(DirectoryRow, { order: { url: 'ASC' } });
    return rows.filter(({ url }) => urls.includes(url));
  }

  async know(tx: Tx, urls: readonly string[], at: Date): Promise<void> {
    for (const url of urls) {
      await tx.query(
        `INSERT INTO trust_directory (url, skipped, failures, next_try_at) VALUES ($1, 0, 0, $2) ON CONFLICT DO NOTHING`,
        [url, at],
      );
    }
  }

  /** One that is due, put off until `until`, so that one replica asks it. */
  async claim(tx: Tx, urls: readonly string[], at: Date, until: Date): Promise<DirectoryRow | undefined> {
    const [[claimed]] = (await tx.query(
      `UPDATE trust_directory SET next_try_at = $3 WHERE url = (
         SELECT url FROM trust_directory WHERE url = ANY ($1::text[]) AND next_try_at <= $2
         ORDER BY next_try_at, url LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING url`,
      [urls, at, until],
    )) as [{ url: string }[], number];
    return claimed && tx.findOneByOrFail(DirectoryRow, { url: claimed.url });
  }

  async save(tx: Tx, url: string, changes: Partial<Omit<DirectoryRow, 'url'>>): Promise<void> {
    await tx.update(DirectoryRow, { url }, changes);
  }
}
