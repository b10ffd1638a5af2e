import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import type { Locked } from '../groups/group.repository.js';
import { shareUnshared } from '../ocm/notification-body.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { end, type EndReason, type OpenShare, type Share } from './share.js';
import { endAt, type Ended, isTold, type ShareServer } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { RotationWishes } from './rotation-wishes.service.js';
import { ShareRepository } from './share.repository.js';

/** Notices of one share and its end arrive in this order; different shares do not wait for each other. */
export const laneOf = (shareId: string): string => `share:${shareId}`;

/** The kind of the letter that announces a share. */
export const SHARE = 'share';

/** How a share ends: for everybody, or for one server. */
@Injectable()
export class EndingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly received: ReceivedShareRepository,
    private readonly tokens: TokensService,
    private readonly wishes: RotationWishes,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /** All secrets die at once; who was told is told so. Of its expiry nobody is told: the notice said when. */
  async end(tx: Tx, share: Locked<OpenShare>, reason: EndReason): Promise<void> {
    await this.shares.end(tx, end(share, reason, this.clock.now()));
    await this.tokens.revokeShare(tx, share.shareId);
    for (const row of await this.servers.lockAll(tx, share.shareId)) {
      if (row.state !== 'ended') await this.withdraw(tx, share, row, reason !== 'expired');
    }
    await this.wishes.shareEnded(tx, share);
    this.log.info({ event: 'share.ended', share: share.shareId, group: share.group, reason }, 'a share ended');
  }

  /**
   * A server lost the share: its secret dies, and it is told with `SHARE_UNSHARED` (OCM-MLS R-201), under the providerId
   * that it knows the share by. A notice that it has not taken yet is taken back: it may be that nobody takes that any more,
   * and the end would wait behind it.
   */
  async withdraw(tx: Tx, share: OpenShare, row: Exclude<ShareServer, Ended>, mustBeTold = true): Promise<void> {
    await this.servers.put(tx, endAt(row, this.clock.now()));
    if ('providerId' in row) await this.tokens.revoke(tx, row.providerId);
    await this.tokens.withdraw(tx, row.shareId, row.server);
    if (!isTold(row)) return;
    const { server, providerId } = row;
    const lane = laneOf(share.shareId);
    if (row.state === 'announced') {
      await this.outbox.withdraw(tx, { to: server, lane, kind: SHARE, subject: providerId });
    }
    if (!mustBeTold) return;
    if (server === this.config.domain) return this.endOwn(tx, providerId);
    await this.tell(tx, share, { server, providerId });
  }

  /** Of a share that the server knows, or should know, by this providerId. */
  async tell(
    tx: Tx,
    share: Share,
    { server, providerId }: { readonly server: Host; readonly providerId?: string },
  ): Promise<void> {
    if (providerId === undefined) return;
    await this.outbox.post(tx, {
      to: server,
      lane: laneOf(share.shareId),
      endpoint: 'notifications',
      kind: 'SHARE_UNSHARED',
      subject: providerId,
      body: shareUnshared({
        senderDomain: this.config.domain,
        resourceType: share.resource.type,
        shareType: 'federation',
        providerId,
      }),
    });
  }

  private async endOwn(tx: Tx, providerId: string): Promise<void> {
    const own = await this.received.byProvider(tx, this.config.domain, providerId);
    if (own) await this.received.end(tx, own.id, this.clock.now());
  }
}
