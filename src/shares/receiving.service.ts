import { Injectable } from '@nestjs/common';
import { type Host, hostOf } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { isFollowed } from '../groups/group.js';
import { GroupRepository } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import type { ShareNotification } from '../ocm/notification.js';
import { parsePermissions } from '../ocm/share-protocol.js';
import type { ShareNotice } from '../ocm/share-notice.js';
import { HighWater } from '../platform/high-water.provider.js';
import { Log } from '../platform/logger.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { digestOf, HELD_MS, MOST_HELD, MOST_HELD_OF_ALL, resourceOf } from './received-share.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { isSafeUri } from './webdav-root.js';

/** OCM core section 5.5. For a federation share the recipient is the group. */
export interface ShareAnswer {
  readonly recipientDisplayName: string;
}

/**
 * Takes shares that other servers announce. Who was answered does not say it again, so a database that does not know of an
 * answer has to be known for an older copy of itself (D-31).
 */
@Injectable()
export class ReceivingService {
  constructor(
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly received: ReceivedShareRepository,
    private readonly highWater: HighWater,
    private readonly log: Log,
  ) {}

  /**
   * A notice that comes twice is answered as the first time. Throws `signature.wrong-domain` or `share.owner-foreign` when
   * it speaks for users of others, `body.malformed` for a URI that no user should follow, `share.encryption-unsupported`, `share.expired`, `share.changed`, and while it cannot be
   * placed `share.sender-not-yet-member` or `share.queue-full`, which the sender tries again (OCM-MLS R-210).
   */
  async receive(from: Host, notice: ShareNotice): Promise<ShareAnswer> {
    const { shareWith: group, providerId, sender, owner, encryption, webdav } = notice;
    if (hostOf(sender) !== from) throw new Fault('signature.wrong-domain', { peer: from, sender });
    if (hostOf(owner) !== from) throw new Fault('share.owner-foreign', { peer: from, owner });
    if (!isSafeUri(webdav.uri)) {
      throw new Fault('body.malformed', {
        validationErrors: [{ name: 'protocol.webdav.uri', message: 'INVALID_VALUE' }],
      });
    }
    if (encryption && encryption.scheme !== 'ocm-mls') {
      throw new Fault('share.encryption-unsupported', { scheme: encryption.scheme });
    }
    const isNew = await this.db.run(async (tx) => {
      const placed = await this.place(tx, from, notice);
      if (placed) await this.highWater.numberAnswer(tx, this.db);
      return placed;
    });
    this.log.info({ event: 'share.received', peer: from, group, providerId, isNew }, 'a share was announced to us');
    return { recipientDisplayName: group };
  }

  /**
   * The sender's server takes a share back; a second time is as good as the first. A share is named by the server and its
   * providerId, so nobody can end the shares of others: to them these do not exist. Throws `share.unknown`.
   */
  async unshared(from: Host, notice: ShareNotification): Promise<void> {
    const { providerId } = notice;
    await this.db.run(async (tx) => {
      const share = await this.meant(tx, from, notice);
      await this.received.end(tx, share.id, this.clock.now());
      await this.highWater.numberAnswer(tx, this.db);
    });
    this.log.info({ event: 'share.unshared', peer: from, providerId }, 'a share was taken back');
  }

  /**
   * The sender's server gives the members other rights. Of a share that is over it changes nothing. Throws `share.unknown`,
   * and `body.malformed` for rights that are none. OCM core section 6
   */
  async permissionsChanged(from: Host, notice: ShareNotification): Promise<void> {
    const permissions = parsePermissions(notice.permissions);
    const { providerId } = notice;
    await this.db.run(async (tx) => {
      const share = await this.meant(tx, from, notice);
      await this.received.change(tx, share.id, { ...share.resource, permissions });
      await this.highWater.numberAnswer(tx, this.db);
    });
    this.log.info({ event: 'share.permissions', peer: from, providerId, permissions }, 'a share gives other rights');
  }

  private async meant(tx: Tx, from: Host, { providerId, resourceType, shareType }: ShareNotification) {
    const share = await this.received.byProvider(tx, from, providerId);
    const isMeant = resourceType === share?.resource.type && (shareType ?? 'federation') === 'federation';
    if (!share || !isMeant) throw new Fault('share.unknown', { peer: from, providerId });
    return share;
  }

  /** Returns whether it was new. */
  private async place(tx: Tx, from: Host, notice: ShareNotice): Promise<boolean> {
    const { providerId } = notice;
    const digest = digestOf(notice);
    if (await this.isKnown(tx, from, providerId, digest)) return false;
    const receivedAt = this.clock.now();
    const expiration = notice.expiration === undefined ? undefined : new Date(notice.expiration * 1000);
    if (expiration && expiration <= receivedAt) throw new Fault('share.expired', { providerId });
    const heldUntil = await this.heldUntil(tx, from, notice, receivedAt);
    const { shareWith: group, sender, owner, webdav, encryption } = notice;
    const share = {
      id: this.dice.uuid(),
      from,
      providerId,
      group,
      sender,
      owner,
      resource: resourceOf(notice),
      ...(encryption?.scheme === 'ocm-mls' ? { encryption } : {}),
      receivedAt,
      ...(expiration ? { expiration } : {}),
      ...(heldUntil ? { heldUntil } : {}),
    };
    if (await this.received.add(tx, share, digest, webdav.sharedSecret)) return true;
    // The same notice came at the same time.
    await this.isKnown(tx, from, providerId, digest);
    return false;
  }

  private async isKnown(tx: Tx, from: Host, providerId: string, digest: string): Promise<boolean> {
    const known = await this.received.digest(tx, from, providerId);
    if (known !== undefined && known !== digest) throw new Fault('share.changed', { peer: from, providerId });
    return known !== undefined;
  }

  /**
   * A share may come before its Welcome or Commit (OCM-MLS R-209). Before the Welcome it is kept, in bounded
   * numbers; before the Commit that makes its sender a member it is refused for now, so that strangers store nothing here.
   */
  private async heldUntil(tx: Tx, from: Host, notice: ShareNotice, at: Date): Promise<Date | undefined> {
    const group = await this.groups.byAddress(tx, notice.shareWith);
    if (group && isFollowed(group)) {
      const { sender, shareWith } = notice;
      if (await this.members.isMember(tx, group.mlsGroupId, sender)) return undefined;
      throw new Fault('share.sender-not-yet-member', { group: shareWith, sender });
    }
    const held = await this.received.held(tx, from, at);
    if (held.own >= MOST_HELD || held.all >= MOST_HELD_OF_ALL) {
      throw new Fault('share.queue-full', { peer: from, held: held.own });
    }
    return new Date(at.getTime() + HELD_MS);
  }
}
