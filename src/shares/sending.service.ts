import { Injectable } from '@nestjs/common';
import { Fault } from '../kernel/fault.js';
import type { Permission } from '../ocm/share-protocol.js';
import { Log } from '../platform/logger.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { AnnouncingService } from './announcing.service.js';
import { EndingService } from './ending.service.js';
import type { Share } from './share.js';
import { isTold, type ShareServer } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { type ShareFilter, ShareRepository } from './share.repository.js';

export interface SharePicture {
  readonly share: Share;
  readonly servers: readonly ShareServer[];
}

/** What became of what users of this server share with their groups. */
@Injectable()
export class SendingService {
  constructor(
    private readonly db: TransactionService,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly tokens: TokensService,
    private readonly ending: EndingService,
    private readonly announcing: AnnouncingService,
    private readonly log: Log,
  ) {}

  /** Ends a share; once more is no error. Throws `share.unknown`. */
  async unshare(shareId: string): Promise<void> {
    await this.db.run(async (tx) => {
      const share = await this.shares.lock(tx, shareId);
      if (!share) throw new Fault('share.unknown', { share: shareId });
      if (share.state === 'open') await this.ending.end(tx, share, 'unshared');
    });
  }

  /**
   * Other rights for all members alike (OCM-MLS R-205), at once for tokens; the servers that know the share are told in the
   * background, after its notice. The same once more changes nothing. Throws `share.unknown`, `share.over`.
   */
  async changePermissions(shareId: string, permissions: readonly Permission[]): Promise<SharePicture> {
    await this.db.run(async (tx) => {
      const share = await this.shares.lock(tx, shareId);
      if (!share) throw new Fault('share.unknown', { share: shareId });
      if (share.state !== 'open') throw new Fault('share.over', { share: shareId });
      if (isSame(permissions, share.resource.permissions)) return;
      await this.shares.changeResource(tx, share, { ...share.resource, permissions });
      await this.tokens.changePermissions(tx, shareId, permissions);
      for (const row of await this.servers.lockAll(tx, shareId)) {
        if (isTold(row)) await this.announcing.changed(tx, share, row, permissions);
      }
      this.log.info({ event: 'share.changed', share: shareId, permissions }, 'a share gives other rights');
    });
    return this.get(shareId);
  }

  /** Throws `share.unknown`. */
  get(shareId: string): Promise<SharePicture> {
    return this.db.run(async (tx) => {
      const share = await this.shares.byId(tx, shareId);
      if (!share) throw new Fault('share.unknown', { share: shareId });
      return { share, servers: await this.servers.of(tx, [shareId]) };
    });
  }

  /** Oldest first. */
  list(filter: ShareFilter, most: number): Promise<SharePicture[]> {
    return this.db.run(async (tx) => {
      const shares = await this.shares.list(tx, filter, most);
      const servers = await this.servers.of(
        tx,
        shares.map(({ shareId }) => shareId),
      );
      return shares.map((share) => ({ share, servers: servers.filter(({ shareId }) => shareId === share.shareId) }));
    });
  }
}

const isSame = (one: readonly Permission[], other: readonly Permission[]): boolean =>
  one.length === other.length && one.every((permission) => other.includes(permission));
