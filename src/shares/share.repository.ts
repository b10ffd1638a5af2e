import { Injectable } from '@nestjs/common';
import { Column, Entity, IsNull, LessThanOrEqual, PrimaryColumn } from 'typeorm';
import type { Host, OcmAddress } from '../kernel/address.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import type { Locked } from '../groups/group.repository.js';
import type { Tx } from '../platform/transaction.service.js';
import { shareEnded, shareEvent } from './share-events.js';
import type { EndedShare, EndReason, OpenShare, Resource, Share } from './share.js';

@Entity('share')
export class ShareRow {
  @PrimaryColumn('uuid', { name: 'share_id' }) shareId!: string;
  @Column('text', { name: 'group_address' }) group!: string;
  @Column('text') sender!: string;
  @Column('text') owner!: string;
  @Column('jsonb') resource!: Resource;
  @Column('jsonb', { nullable: true }) encryption!: MlsEncryption | null;
  @Column('jsonb', { name: 'protocol_servers', nullable: true }) protocolServers!: readonly string[] | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
  @Column('text', { nullable: true }) reason!: EndReason | null;
}

export interface ShareFilter {
  readonly group?: OcmAddress;
  readonly sender?: OcmAddress;
  /** The last share of the page before. */
  readonly after?: string;
}

/** What this server shares with groups, which the feed is told. */
@Injectable()
export class ShareRepository {
  constructor(private readonly feed: FeedRecorder) {}

  async add(tx: Tx, { expiration, encryption, protocolServers, ...share }: OpenShare): Promise<void> {
    const { state: _, ...terms } = share;
    await tx.insert(ShareRow, {
      ...terms,
      encryption: encryption ?? null,
      protocolServers: protocolServers ?? null,
      expiresAt: expiration ?? null,
      endedAt: null,
      reason: null,
    });
    await this.feed.record(tx, shareEvent('share.offered', share));
  }

  async byId(tx: Tx, shareId: string): Promise<Share | undefined> {
    const row = await tx.findOneBy(ShareRow, { shareId });
    return row ? toShare(row) : undefined;
  }

  async lock(tx: Tx, shareId: string): Promise<Locked<Share> | undefined> {
    const row = await tx.findOne(ShareRow, { where: { shareId }, lock: { mode: 'pessimistic_write' } });
    return row ? (toShare(row) as Locked<Share>) : undefined;
  }

  async end(tx: Tx, share: EndedShare): Promise<void> {
    const { shareId, endedAt, reason } = share;
    await tx.update(ShareRow, { shareId }, { endedAt, reason });
    await this.feed.record(tx, shareEnded(share, reason));
  }

  async changeResource(tx: Tx, share: Locked<Share>, resource: Resource): Promise<void> {
    await tx.update(ShareRow, { shareId: share.shareId }, { resource });
    await this.feed.record(tx, shareEvent('share.changed', share));
  }

  /** Oldest first. */
  async list(tx: Tx, { group, sender, after }: ShareFilter, most: number): Promise<Share[]> {
    const query = tx.createQueryBuilder(ShareRow, 'share').orderBy('share.createdAt').addOrderBy('share.shareId');
    if (group) query.andWhere('share.group = :group', { group });
    if (sender) query.andWhere('share.sender = :sender', { sender });
    if (after) {
      query.andWhere(
        '(share.created_at, share.share_id) > (SELECT created_at, share_id FROM share WHERE share_id = :after)',
        { after },
      );
    }
    return (await query.limit(most).getMany()).map(toShare);
  }

  async openSenders(tx: Tx, group: OcmAddress): Promise<OcmAddress[]> {
    const rows = (await tx.query('SELECT DISTINCT sender FROM share WHERE group_address = $1 AND ended_at IS NULL', [
      group,
    ])) as { sender: OcmAddress }[];
    return rows.map(({ sender }) => sender);
  }

  /**
   * Open shares of a group that do not agree with its roster: of a sender who is `gone`, unknown to one of `servers`, or
   * still with a server that is not one of them. Locked, a few at a time; one may have ended in the meantime.
   */
  async unsettled(
    tx: Tx,
    group: OcmAddress,
    { servers, gone }: { servers: readonly Host[]; gone: readonly OcmAddress[] },
    most: number,
  ): Promise<Locked<Share>[]> {
    const rows = (await tx.query(
      `SELECT s.share_id FROM share s
       WHERE s.group_address = $1 AND s.ended_at IS NULL AND (
         s.sender = ANY ($3::text[])
         OR (SELECT count(*) FROM share_server t
             WHERE t.share_id = s.share_id AND t.state <> 'ended' AND t.server = ANY ($2::text[])) < cardinality($2::text[])
         OR EXISTS (SELECT 1 FROM share_server t
             WHERE t.share_id = s.share_id AND t.state <> 'ended' AND NOT t.server = ANY ($2::text[])))
       ORDER BY s.created_at, s.share_id LIMIT $4`,
      [group, servers, gone, most],
    )) as { share_id: string }[];
    const locked: Locked<Share>[] = [];
    for (const { share_id: shareId } of rows) locked.push((await this.lock(tx, shareId))!);
    return locked;
  }

  /** Whether there is a share whose time is over, though others may be ending it. */
  hasExpired(tx: Tx, at: Date): Promise<boolean> {
    return tx.existsBy(ShareRow, { endedAt: IsNull(), expiresAt: LessThanOrEqual(at) });
  }

  /** One open share whose time is over, locked; shares that others hold are passed over. */
  async expired(tx: Tx, at: Date): Promise<Locked<OpenShare> | undefined> {
    const row = await tx
      .createQueryBuilder(ShareRow, 'share')
      .where('share.endedAt IS NULL AND share.expiresAt <= :at', { at })
      .orderBy('share.expiresAt')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getOne();
    return row ? (toShare(row) as Locked<OpenShare>) : undefined;
  }

  async countByState(tx: Tx): Promise<Record<Share['state'], number>> {
    const [row] = (await tx.query(
      'SELECT count(*) FILTER (WHERE ended_at IS NULL) AS open, count(ended_at) AS ended FROM share',
    )) as { open: string; ended: string }[];
    return { open: Number(row!.open), ended: Number(row!.ended) };
  }
}

const toShare = ({ expiresAt, endedAt, reason, encryption, protocolServers, ...row }: ShareRow): Share => {
  const terms = {
    ...row,
    ...(encryption ? { encryption } : {}),
    ...(protocolServers ? { protocolServers } : {}),
    group: row.group as OcmAddress,
    sender: row.sender as OcmAddress,
    owner: row.owner as OcmAddress,
    ...(expiresAt ? { expiration: expiresAt } : {}),
  };
  return endedAt && reason ? { ...terms, state: 'ended', endedAt, reason } : { ...terms, state: 'open' };
};
