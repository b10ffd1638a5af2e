import { Injectable } from '@nestjs/common';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { GroupRepository } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import type { ReshareRequest, ShareNotification } from '../ocm/notification.js';
import type { Permission } from '../ocm/share-protocol.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { Log } from '../platform/logger.service.js';
import { Poller } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import type { Cipher } from '../content/cipher.js';
import { RotationWishes } from './rotation-wishes.service.js';
import { AnnouncingService } from './announcing.service.js';
import { EndingService } from './ending.service.js';
import { FileKeysService } from './file-keys.service.js';
import { KeySendingService } from './key-sending.service.js';
import type { OpenShare, Resource, Share } from './share.js';
import { accept, decline, due, isTold, type ShareServer } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { type ShareFilter, ShareRepository } from './share.repository.js';

/** What is to be shared with whom. */
export interface Sharing {
  readonly group: OcmAddress;
  readonly sender: OcmAddress;
  readonly owner: OcmAddress;
  readonly resource: Resource;
  /** With which cipher the resource is encrypted, when it is. */
  readonly cipher?: Cipher;
  readonly expiration?: Date;
}

export interface SharePicture {
  readonly share: Share;
  readonly servers: readonly ShareServer[];
}

/** The worker that tells member servers. */
export const NOTICES = 'shares.notices';

/** What users of this server share with their groups. */
@Injectable()
export class SendingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly tokens: TokensService,
    private readonly fileKeys: FileKeysService,
    private readonly keySending: KeySendingService,
    private readonly wishes: RotationWishes,
    private readonly ending: EndingService,
    private readonly announcing: AnnouncingService,
    private readonly audit: AuditLog,
    private readonly idempotency: Idempotency,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  /**
   * Shares a resource with a group of which the sender is a member. Every member server is to be told, which are found in
   * our own tree (OCM-MLS R-021); nobody was contacted when this returns. Throws `share.sender-foreign`,
   * `share.sender-not-member`, `share.expired`, `share.cipher-fixed`, `group.not-found`, `group.left`.
   */
  async create(sharing: Sharing, key?: IdempotencyKey): Promise<SharePicture> {
    for (const user of [sharing.sender, sharing.owner]) {
      if (hostOf(user) !== this.config.domain) throw new Fault('share.sender-foreign', { user });
    }
    const shareId = await this.db.run((tx) => this.idempotency.once(tx, key, () => this.createIn(tx, sharing)));
    return this.get(shareId);
  }

  private async createIn(tx: Tx, sharing: Sharing): Promise<string> {
    const createdAt = this.clock.now();
    const { group: address, sender, expiration } = sharing;
    if (expiration && expiration <= createdAt) throw new Fault('share.expired', { expiration });
    const known = await this.groups.byAddress(tx, address);
    // Locked, so that no Commit comes between the roster as it is read and the servers that are written down.
    const group = known && (await this.groups.lock(tx, known.mlsGroupId));
    if (!group) throw new Fault('group.not-found', { group: address });
    if (group.state === 'left') throw new Fault('group.left', { group: address });
    if (!(await this.members.isMember(tx, group.mlsGroupId, sender))) {
      throw new Fault('share.sender-not-member', { group: address, sender });
    }
    const { cipher, ...terms } = sharing;
    const sealed = cipher && (await this.fileKeys.seal(tx, sharing.resource.id, cipher));
    const share: OpenShare = {
      ...terms,
      ...(sealed && { encryption: sealed.encryption }),
      shareId: this.dice.uuid(),
      createdAt,
      state: 'open',
    };
    await this.shares.add(tx, share);
    await this.wishes.shared(tx, share);
    // Otherwise all keys go out as soon as something can be sent again.
    if (sealed && group.state === 'active') await this.keySending.send(tx, group, sealed);
    for (const server of await this.members.servers(tx, group.mlsGroupId)) {
      await this.servers.put(tx, due(share.shareId, server, createdAt));
    }
    this.db.afterCommit(tx, () => this.poller.wake(NOTICES));
    this.log.info({ event: 'share.created', share: share.shareId, group: address }, 'a resource was shared');
    return share.shareId;
  }

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

  /**
   * A receiving server asks for somebody else to be given the share. In a group whoever is to have it becomes a member, so it
   * is told that. Always throws: `share.unknown`, `share.reshare-refused`. OCM core section 6
   */
  async reshareRequested(from: Host, { providerId, resourceType, shareWith }: ReshareRequest): Promise<void> {
    await this.db.run(async (tx) => {
      const row = await this.servers.lockByProvider(tx, from, providerId);
      const share = row && (await this.shares.byId(tx, row.shareId));
      if (!row || share?.resource.type !== resourceType) throw new Fault('share.unknown', { peer: from, providerId });
      const facts = { share: share.shareId, group: share.group };
      const code = 'share.reshare-refused';
      await this.audit.record(tx, { act: 'reshare.refused', actor: from, subject: shareWith, code, facts });
    });
    throw new Fault('share.reshare-refused', { peer: from, providerId });
  }

  /**
   * A receiving server says what became of a share: who declined it needs no secret for it. What is said of a share that
   * is over changes nothing. Throws `share.unknown` for what was not announced to that server. OCM core section 6
   */
  async answered(from: Host, { notificationType, providerId, resourceType }: ShareNotification): Promise<void> {
    await this.db.run(async (tx) => {
      const row = await this.servers.lockByProvider(tx, from, providerId);
      const share = row && (await this.shares.byId(tx, row.shareId));
      if (!row || share?.resource.type !== resourceType) throw new Fault('share.unknown', { peer: from, providerId });
      if (!isTold(row)) return;
      const at = this.clock.now();
      if (notificationType === 'SHARE_ACCEPTED') return this.servers.put(tx, accept(row, at));
      await this.tokens.revoke(tx, providerId);
      await this.servers.put(tx, decline(row, 'declined', at));
    });
    this.log.info({ event: 'share.answered', peer: from, notificationType, providerId }, 'a share was answered');
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
