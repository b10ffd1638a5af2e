import { Injectable } from '@nestjs/common';
import { type Host, hostOf } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { Gone } from '../groups/departure.repository.js';
import type { Group } from '../groups/group.js';
import { GroupRepository } from '../groups/group.repository.js';
import { Log } from '../platform/logger.service.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { CredentialRenewalRepository } from './credential-renewal.repository.js';
import { ShareRepository } from './share.repository.js';

/** The worker that exchanges credentials; the answers to its letters go there. */
export const CREDENTIALS = 'shares.credentials';

/** When the secret by which one server gets at a share is exchanged. OCM-MLS section 8.6 */
@Injectable()
export class CredentialsService {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly shares: ShareRepository,
    private readonly renewals: CredentialRenewalRepository,
    private readonly poller: Poller,
    private readonly log: Log,
  ) {}

  /**
   * A new secret for each server that has accepted the share, or for `server` alone, soon (OCM-MLS R-181). Returns the
   * servers. Throws `share.unknown`, `share.over`, and `share.not-now` while nothing can be sent in the group.
   */
  async rotate(shareId: string, server?: Host): Promise<Host[]> {
    return this.db.run(async (tx) => {
      const share = await this.shares.lock(tx, shareId);
      if (!share) throw new Fault('share.unknown', { share: shareId });
      if (share.state !== 'open') throw new Fault('share.over', { share: shareId });
      const group = await this.groups.byAddress(tx, share.group);
      if (group?.state !== 'active') throw new Fault('share.not-now', { group: share.group });
      const servers = await this.renewals.request(tx, shareId, server, this.clock.now());
      this.log.info({ event: 'credentials.due', share: shareId, servers }, 'credentials of a share are exchanged');
      this.db.afterCommit(tx, () => this.poller.wake(CREDENTIALS));
      return servers;
    });
  }

  /**
   * Users were removed whose servers stay: their clients may have held the secrets of those (OCM-MLS R-180). A server all
   * users of which are gone loses its secrets by losing the shares.
   * @param servers of the members that the group has now
   */
  async membersGone(tx: Tx, { address }: Group, gone: Gone, servers: readonly Host[]): Promise<void> {
    const touched = gone === 'anybody' ? servers : gone.map(hostOf);
    const staying = new Set(touched.filter((server) => servers.includes(server)));
    if (staying.size === 0) return;
    const count = await this.renewals.requestAll(tx, address, [...staying], this.clock.now());
    const facts = { event: 'credentials.due', group: address, servers: [...staying], count };
    if (count > 0) this.log.info(facts, 'credentials of shares are exchanged after a removal');
  }
}
