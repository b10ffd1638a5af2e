import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { ReshareRequest, ShareNotification } from '../ocm/notification.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Log } from '../platform/logger.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { TokensService } from '../tokens/tokens.service.js';
import { accept, decline, isTold } from './share-server.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** What receiving servers say of shares. */
@Injectable()
export class ShareAnswersService {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly tokens: TokensService,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

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
}
