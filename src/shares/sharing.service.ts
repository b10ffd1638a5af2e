import { Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import type { Cipher } from '../content/cipher.js';
import type { Group } from '../groups/group.js';
import { GroupRepository, type Locked } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import { Config } from '../platform/config.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { Log } from '../platform/logger.service.js';
import { Poller } from '../platform/poller.service.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { PeerLimits } from '../trust/peer-limits.service.js';
import { ProvisioningService } from '../tokens/provisioning.service.js';
import { FileKeysService } from './file-keys.service.js';
import { KeySendingService } from './key-sending.service.js';
import { PreparingService } from './preparing.service.js';
import { RotationWishes } from './rotation-wishes.service.js';
import type { OpenShare, Resource } from './share.js';
import { due } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** What is to be shared with whom. */
export interface Sharing {
  readonly group: OcmAddress;
  readonly sender: OcmAddress;
  readonly owner: OcmAddress;
  readonly resource: Resource;
  /** With which cipher the resource is encrypted, when it is. */
  readonly cipher?: Cipher;
  /** In Provisioned mode (OCM-IP), for who allocates anything (I-003): who serves the resource, by the names of their pairings. */
  readonly protocolServers?: readonly string[];
  readonly expiration?: Date;
}

/** The worker that tells member servers. */
export const NOTICES = 'shares.notices';

/** Users of this server share resources with their groups. */
@Injectable()
export class SharingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly fileKeys: FileKeysService,
    private readonly keySending: KeySendingService,
    private readonly wishes: RotationWishes,
    private readonly preparing: PreparingService,
    private readonly provisioning: ProvisioningService,
    private readonly idempotency: Idempotency,
    private readonly limits: PeerLimits,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  /**
   * Shares a resource with a group of which the sender is a member. Every member server is to be told, which are found in
   * our own tree (OCM-MLS R-021); none of them was contacted when this returns, but the protocol servers have stored the
   * share. Returns its id. Throws `share.sender-foreign`, `share.sender-not-member`, `share.expired`, `share.cipher-fixed`,
   * `share.not-provisioned`, `pairing.unknown`, `pairing.not-provisioned`, `group.not-found`, `group.left`, `limit.user`.
   */
  async create(wish: Sharing, key?: IdempotencyKey): Promise<string> {
    for (const user of [wish.sender, wish.owner]) {
      if (hostOf(user) !== this.config.domain) throw new Fault('share.sender-foreign', { user });
    }
    const sharing = await this.withTokenServer(wish);
    const shareId = this.dice.uuid();
    try {
      if (sharing.protocolServers) await this.provision(sharing, shareId);
      const made = await this.db.run((tx) => this.idempotency.once(tx, key, () => this.createIn(tx, sharing, shareId)));
      if (sharing.protocolServers && made !== shareId) await this.unmake(shareId);
      return made;
    } catch (error) {
      if (sharing.protocolServers) await this.unmake(shareId);
      throw error;
    }
  }

  /** Whoever issues tokens in our stead is told of every share. OCM-IP, Delegating the Token Endpoint */
  private async withTokenServer(sharing: Sharing): Promise<Sharing> {
    const issues = await this.db.statement((tx) => this.provisioning.tokenServer(tx));
    const { protocolServers = [] } = sharing;
    if (issues === undefined || protocolServers.includes(issues)) return sharing;
    return { ...sharing, protocolServers: [...protocolServers, issues] };
  }

  /** All protocol servers, for all servers that can be told now, or there is no share. I-017 */
  private async provision(sharing: Sharing, shareId: string): Promise<void> {
    const { protocolServers = [] } = sharing;
    const { servers, share } = await this.db.run(async (tx) => {
      await this.provisioning.integrationApis(tx, protocolServers);
      const { mlsGroupId } = await this.groupOf(tx, sharing);
      return {
        servers: await this.members.servers(tx, mlsGroupId),
        share: (await this.shareIn(tx, sharing, shareId)).share,
      };
    });
    for (const server of servers) {
      const judgement = await this.preparing.prepare(server, share);
      if (judgement.kind !== 'not-provisioned') continue;
      throw new Fault('share.not-provisioned', { protocolServers, server, why: judgement.why });
    }
  }

  /** What protocol servers were told is told no more; a crash before this is mended by the time that passes. */
  private unmake(shareId: string): Promise<void> {
    return this.db.run((tx) => this.provisioning.revoke(tx, { shareId }));
  }

  /** With the file key of the resource where it is encrypted, which is made with the first share of it. */
  private async shareIn(tx: Tx, { cipher, ...terms }: Sharing, shareId: string) {
    const sealed = cipher && (await this.fileKeys.seal(tx, terms.resource.id, cipher));
    const encrypted = sealed && { encryption: sealed.encryption };
    const share: OpenShare = { ...terms, ...encrypted, shareId, createdAt: this.clock.now(), state: 'open' };
    return { share, sealed };
  }

  private async createIn(tx: Tx, sharing: Sharing, shareId: string): Promise<string> {
    const group = await this.groupOf(tx, sharing);
    await this.limits.spendFor(tx, sharing.sender);
    const { share, sealed } = await this.shareIn(tx, sharing, shareId);
    await this.shares.add(tx, share);
    await this.wishes.shared(tx, share);
    // Otherwise all keys go out as soon as something can be sent again.
    if (sealed && group.state === 'active') await this.keySending.send(tx, group, sealed);
    for (const server of await this.members.servers(tx, group.mlsGroupId)) {
      await this.servers.put(tx, due(shareId, server, share.createdAt));
    }
    this.db.afterCommit(tx, () => this.poller.wake(NOTICES));
    this.log.info({ event: 'share.created', share: shareId, group: share.group }, 'a resource was shared');
    return shareId;
  }

  /** Locked, so that no Commit comes between the roster as it is read and the servers that are written down. */
  private async groupOf(tx: Tx, { group: address, sender, expiration }: Sharing): Promise<Locked<Group>> {
    const now = this.clock.now();
    if (expiration && expiration <= now) throw new Fault('share.expired', { expiration });
    const known = await this.groups.byAddress(tx, address);
    const group = known && (await this.groups.lock(tx, known.mlsGroupId));
    if (!group) throw new Fault('group.not-found', { group: address });
    if (group.state === 'left') throw new Fault('group.left', { group: address });
    if (!(await this.members.isMember(tx, group.mlsGroupId, sender))) {
      throw new Fault('share.sender-not-member', { group: address, sender });
    }
    return group;
  }
}
