import { Injectable } from '@nestjs/common';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Host } from '../kernel/address.js';
import type { Tx } from '../platform/transaction.service.js';

export type DocumentKind = 'discovery' | 'jwk-set';

/** What another server publishes, or that it could not be read. */
@Entity('peer_document')
export class PeerDocumentRow {
  @PrimaryColumn('text') host!: Host;
  @PrimaryColumn('text') kind!: DocumentKind;
  /** Nothing until it was read once. */
  @Column('jsonb', { nullable: true }) document!: unknown;
  @Column('timestamptz', { name: 'read_at', nullable: true }) readAt!: Date | null;
  @Column('timestamptz', { name: 'good_until', nullable: true }) goodUntil!: Date | null;
  /** In a row, since it was last read. */
  @Column('integer') failures!: number;
  /** The code of the last failure. */
  @Column('text', { nullable: true }) failure!: string | null;
  @Column('timestamptz', { name: 'retry_at', nullable: true }) retryAt!: Date | null;
}

@Injectable()
export class PeerRepository {
  async find(tx: Tx, host: Host, kind: DocumentKind): Promise<PeerDocumentRow | undefined> {
    return (await tx.findOneBy(PeerDocumentRow, { host, kind })) ?? undefined;
  }

  async keep(tx: Tx, host: Host, kind: DocumentKind, document: object, readAt: Date, goodUntil: Date): Promise<void> {
    await tx.query(
      `INSERT INTO peer_document (host, kind, document, read_at, good_until, failures) VALUES ($1, $2, $3, $4, $5, 0)
       ON CONFLICT (host, kind) DO UPDATE SET document = $3, read_at = $4, good_until = $5,
         failures = 0, failure = NULL, retry_at = NULL`,
      [host, kind, JSON.stringify(document), readAt, goodUntil],
    );
  }

  /** What was read before is kept. */
  async failed(
    tx: Tx,
    host: Host,
    kind: DocumentKind,
    failure: string,
    failures: number,
    retryAt: Date,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO peer_document (host, kind, failures, failure, retry_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (host, kind) DO UPDATE SET failures = $3, failure = $4, retry_at = $5`,
      [host, kind, failures, failure, retryAt],
    );
  }

  /** Servers that nobody asked for since: most of them were only claimed to exist. */
  async forget(tx: Tx, before: Date): Promise<void> {
    await tx.query(
      `DELETE FROM peer_document WHERE coalesce(good_until, retry_at) < $1 AND coalesce(retry_at, good_until) < $1`,
      [before],
    );
  }
}
