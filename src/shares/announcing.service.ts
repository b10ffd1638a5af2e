import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { ClientsService } from '../mls/clients.service.js';
import { shareChangePermission } from '../ocm/notification-body.js';
import type { Host } from '../kernel/address.js';
import type { Permission } from '../ocm/share-protocol.js';
import { shareNotice, type ShareNotice } from '../ocm/share-notice.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import type { Tx } from '../platform/transaction.service.js';
import { ProvisioningService } from '../tokens/provisioning.service.js';
import { type Credential, TokensService } from '../tokens/tokens.service.js';
import { laneOf, SHARE } from './ending.service.js';
import { digestOf, resourceOf } from './received-share.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import type { OpenShare } from './share.js';
import { accept, announce, type Told, type Untold } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import type { Sending } from './share-terms.js';

/** To whom the outbox reports what became of notices. */
export const NOTICE_ANSWERS = 'shares.notices';

const CHANGED = 'SHARE_CHANGE_PERMISSION';

/** Writes the Share Creation Notification of one share for one member server. */
@Injectable()
export class AnnouncingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly clients: ClientsService,
    private readonly tokens: TokensService,
    private readonly provisioning: ProvisioningService,
    private readonly servers: ShareServerRepository,
    private readonly received: ReceivedShareRepository,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /**
   * Writes down what protocol servers are to be told before the notice for a server goes out: the notice itself, but for
   * the secret (I-018). Returns the providerId that it will have. Throws `pairing.unknown`, `pairing.not-provisioned`.
   */
  async prepare(tx: Tx, share: OpenShare, recipient: Host, terms: Sending): Promise<string> {
    const { shareId, protocolServers = [], resource } = share;
    const providerId = this.tokens.newProviderId(resource.id);
    const meant = await this.notice(tx, share, terms, { providerId, sharedSecret: '' });
    const notice = shareNotice(meant);
    await this.provisioning.prepare(tx, { providerId, shareId, recipient, protocolServers, notice });
    return providerId;
  }

  /**
   * One notice for the whole server (OCM-MLS R-202), the same whoever serves the resource (I-001), with a secret and providerId of its own, straight to it.
   * Where the server is this one there is no letter to write: the share is received at once.
   */
  async announce(tx: Tx, share: OpenShare, row: Untold, terms: Sending): Promise<void> {
    const { shareId, group } = share;
    const { server } = row;
    const notice = await this.notice(tx, share, terms, await this.grant(tx, share, server, terms));
    const { providerId } = notice;
    const announced = announce(row, providerId, this.clock.now());
    if (server === this.config.domain) {
      await this.receive(tx, share, notice);
      return this.servers.put(tx, accept(announced, this.clock.now()));
    }
    await this.servers.put(tx, announced);
    await this.outbox.post(tx, {
      to: server,
      lane: laneOf(shareId),
      endpoint: 'shares',
      kind: SHARE,
      subject: providerId,
      body: shareNotice(notice),
      answerTo: NOTICE_ANSWERS,
    });
    this.log.info(
      { event: 'share.announced', share: shareId, group, peer: server, providerId },
      'a share is announced',
    );
  }

  /** Other rights than its notice says; of several changes the last one is told. */
  async changed(
    tx: Tx,
    share: OpenShare,
    { server, providerId }: Told,
    permissions: readonly Permission[],
  ): Promise<void> {
    if (server === this.config.domain) {
      const own = await this.received.byProvider(tx, server, providerId);
      if (own) await this.received.change(tx, own.id, { ...own.resource, permissions });
      return;
    }
    const letter = { to: server, lane: laneOf(share.shareId), kind: CHANGED, subject: providerId };
    await this.outbox.withdraw(tx, letter);
    const body = shareChangePermission({
      senderDomain: this.config.domain,
      resourceType: share.resource.type,
      shareType: 'federation',
      providerId,
      permissions,
    });
    await this.outbox.post(tx, { ...letter, endpoint: 'notifications', body });
  }

  private grant(tx: Tx, share: OpenShare, recipient: Host, { uri, provisionedAs }: Sending): Promise<Credential> {
    const { shareId, group, sender, owner, resource, expiration } = share;
    const { id: resourceId, type: resourceType, name, permissions } = resource;
    return this.tokens.grant(tx, {
      shareId,
      resourceId,
      group,
      sender,
      owner,
      recipient,
      data: { resourceType, name, uri, permissions },
      ...(expiration ? { expiresAt: expiration } : {}),
      ...(provisionedAs === undefined ? {} : { provisionedAs }),
    });
  }

  /**
   * An ordinary OCM share with the group as its recipient and the same permissions for everybody,
   * encrypted or not.
   */
  private async notice(
    tx: Tx,
    share: OpenShare,
    terms: Sending,
    { providerId, sharedSecret }: Credential,
  ): Promise<ShareNotice> {
    const { group, sender, owner, resource, encryption, expiration } = share;
    const { type, name, permissions, description, size } = resource;
    const [from, of] = [await this.clients.find(tx, sender), await this.clients.find(tx, owner)];
    return {
      shareWith: group,
      shareType: 'federation',
      resourceType: type,
      name,
      ...(description === undefined ? {} : { description }),
      providerId,
      owner,
      sender,
      ...(of ? { ownerDisplayName: of.displayName } : {}),
      ...(from ? { senderDisplayName: from.displayName } : {}),
      ...(encryption ? { encryption } : {}),
      ...(expiration ? { expiration: Math.floor(expiration.getTime() / 1000) } : {}),
      webdav: {
        uri: terms.uri,
        sharedSecret,
        accessTypes: ['remote'],
        permissions,
        requirements: terms.requirements,
        ...(size === undefined ? {} : { size }),
      },
    };
  }

  private async receive(tx: Tx, { encryption, expiration }: OpenShare, notice: ShareNotice): Promise<void> {
    const { providerId, shareWith, sender, owner, webdav } = notice;
    const own = {
      id: this.dice.uuid(),
      from: this.config.domain,
      providerId,
      group: shareWith,
      sender,
      owner,
      resource: resourceOf(notice),
      receivedAt: this.clock.now(),
      ...(encryption ? { encryption } : {}),
      ...(expiration ? { expiration } : {}),
    };
    await this.received.add(tx, own, digestOf(notice), webdav.sharedSecret);
  }
}
