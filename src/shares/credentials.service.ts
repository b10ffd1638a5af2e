import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { GroupRepository } from '../groups/group.repository.js';
import { ApplicationsService } from '../mls/applications.service.js';
import { mlsApplication } from '../ocm/notification-body.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { credentialMessage } from './application-data.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import type { OpenShare } from './share.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** The answers to letters with new credentials go here. */
export const CREDENTIAL_ANSWERS = 'shares.credentials';

/** Exchanges the secret by which one server gets at a share. OCM-MLS section 8.6 */
@Injectable()
export class CredentialsService {
  constructor(
    private readonly config: Config,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly received: ReceivedShareRepository,
    private readonly applications: ApplicationsService,
    private readonly tokens: TokensService,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /**
   * A new secret for each server that has accepted the share, or for `server` alone, under the keys of the group and to
   * that server only (OCM-MLS ). The old one goes on until the new one was delivered. Returns the servers.
   * Throws `share.unknown`, `share.over`, and `share.not-now` while nothing can be sent in the group.
   */
  async rotate(shareId: string, server?: Host): Promise<Host[]> {
    return this.db.run(async (tx) => {
      const known = await this.shares.byId(tx, shareId);
      const group = known && (await this.groups.byAddress(tx, known.group));
      // The group first, as everywhere.
      const locked = group && (await this.groups.lock(tx, group.mlsGroupId));
      const share = await this.shares.lock(tx, shareId);
      if (!share) throw new Fault('share.unknown', { share: shareId });
      if (share.state !== 'open') throw new Fault('share.over', { share: shareId });
      if (locked?.state !== 'active') throw new Fault('share.not-now', { group: share.group });
      const told: Host[] = [];
      for (const row of await this.servers.lockAll(tx, shareId)) {
        if (row.state !== 'accepted' || (server !== undefined && row.server !== server)) continue;
        if (await this.send(tx, share, row, locked)) told.push(row.server);
      }
      this.log.info(
        { event: 'credentials.rotated', share: shareId, servers: told },
        'credentials of a share are exchanged',
      );
      return told;
    });
  }

  private async send(
    tx: Tx,
    { group: address }: OpenShare,
    { server, providerId }: { readonly server: Host; readonly providerId: string },
    { mlsGroupId }: { readonly mlsGroupId: Parameters<ApplicationsService['seal']>[1] },
  ): Promise<boolean> {
    const sharedSecret = await this.tokens.renew(tx, providerId);
    if (sharedSecret === undefined) return false;
    if (server === this.config.domain) {
      const own = await this.received.byProvider(tx, server, providerId);
      if (own) await this.received.exchangeSecret(tx, own.id, sharedSecret);
      await this.tokens.settle(tx, providerId, own !== undefined);
      return own !== undefined;
    }
    const data = credentialMessage(address, { providerId, recipient: server, sharedSecret });
    for (const { message } of await this.applications.seal(tx, mlsGroupId, [data])) {
      await this.outbox.post(tx, {
        to: server,
        lane: mlsGroupId,
        endpoint: 'notifications',
        kind: 'MLS_APPLICATION',
        subject: providerId,
        body: mlsApplication({ senderDomain: this.config.domain, mlsGroupId, content: message }),
        answerTo: CREDENTIAL_ANSWERS,
      });
    }
    return true;
  }
}
