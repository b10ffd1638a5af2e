import { Injectable } from '@nestjs/common';
import { type Host, hostOf } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { GapRepository } from '../groups/gap.repository.js';
import { type Group, isFollowed } from '../groups/group.js';
import { GroupRepository } from '../groups/group.repository.js';
import { MemberRepository } from '../groups/member.repository.js';
import { ApplicationsService } from '../mls/applications.service.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { type ApplicationData, type CredentialEntry, parseApplicationData } from './application-data.js';
import type { MessageOrder } from './message-order.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { WrappedKeyRepository } from './wrapped-key.repository.js';

/** `waits`: it is of an epoch that is not here yet; keep it until then. */
export type Heard = { readonly kind: 'heard' } | { readonly kind: 'waits'; readonly epoch: Epoch };

/** Resources of one server in one group, whether or not their shares have come. */
const MOST_KEYS = 50_000;

/** Takes what other member servers say under the keys of a group. OCM-MLS sections 7.4.4 and 8.5 */
@Injectable()
export class ReceivingKeysService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly gaps: GapRepository,
    private readonly wrapped: WrappedKeyRepository,
    private readonly received: ReceivedShareRepository,
    private readonly applications: ApplicationsService,
    private readonly log: Log,
  ) {}

  /**
   * A message of an epoch to come waits for it (OCM-MLS R-122); the same message again, and what is not later than what is
   * held, changes nothing. Throws `group.unknown`, `group.left`, `application.wrong-group`,
   * `application.stale`, `application.not-from-home`, `application.too-early`, `application.malformed`,
   * `application.flood`, and what `openApplication` refuses with; then nothing has changed.
   */
  async receive(
    from: Host,
    { mlsGroupId, content }: { readonly mlsGroupId: MlsGroupId; readonly content: Uint8Array },
  ): Promise<Heard> {
    const inside = this.applications.readMessage(content).mlsGroupId;
    if (inside !== mlsGroupId) throw new Fault('application.wrong-group', { advised: mlsGroupId });
    return this.db.run(async (tx) => {
      const group = await this.groups.lock(tx, mlsGroupId);
      if (!group) throw new Fault('group.unknown', { group: mlsGroupId });
      if (group.state === 'left') throw new Fault('group.left', { group: mlsGroupId });
      // Whoever has lost the state, or let it go, opens nothing of it any more; its keys come again in the next epoch.
      if (group.state === 'drifted' || !isFollowed(group)) throw new Fault('application.stale', { epoch: group.epoch });
      const opened = await this.applications.open(tx, mlsGroupId, content);
      if (opened.kind === 'early') return this.wait(tx, from, group, opened.epoch);
      if (opened.kind === 'stale') throw new Fault('application.stale', { epoch: group.epoch });
      if (opened.kind === 'spent') return { kind: 'heard' };
      const { sender, data, epoch, generation } = opened.message;
      if (hostOf(sender) !== from) throw new Fault('application.not-from-home', { from, sender });
      const { instance, history } = group;
      const order = { instance, history, epoch, generation, speaker: sender };
      await this.take(tx, from, group, order, parseApplicationData(data));
      return { kind: 'heard' };
    });
  }

  /** What comes too early is kept, so it is taken from servers only that the group knows. */
  private async wait(tx: Tx, from: Host, { mlsGroupId }: Group, epoch: Epoch): Promise<Heard> {
    if (!(await this.members.servers(tx, mlsGroupId)).includes(from)) {
      throw new Fault('application.too-early', { group: mlsGroupId, from });
    }
    await this.gaps.hear(tx, mlsGroupId, epoch, this.clock.now());
    return { kind: 'waits', epoch };
  }

  /** Under the sender's own name: of the resources of another server nothing can be said. OCM-MLS R-178 */
  private async take(tx: Tx, from: Host, group: Group, order: MessageOrder, data: ApplicationData): Promise<void> {
    const { keys, credentials } = data;
    for (const credential of credentials) await this.renew(tx, from, group, order, credential);
    if (keys.length === 0) return;
    const { mlsGroupId, address } = group;
    const place = { sender: from, group: address };
    const meant = keys.filter(({ groupId }) => groupId === address);
    const entries = meant.map(({ resourceId, wrappedKey }) => ({ resourceId, wrapped: wrappedKey, mlsGroupId, order }));
    const taken = await this.wrapped.put(tx, place, entries, this.clock.now());
    if ((await this.wrapped.count(tx, place)) > MOST_KEYS) throw new Fault('application.flood', { from });
    const earliest = await this.wrapped.earliestEpoch(tx, mlsGroupId);
    if (earliest !== undefined) await this.applications.forgetKeysBefore(tx, mlsGroupId, earliest);
    const { epoch, generation } = order;
    const facts = {
      event: 'keys.received',
      group: mlsGroupId,
      peer: from,
      epoch,
      generation,
      keys: keys.length,
      taken,
    };
    this.log.info(facts, 'file keys were received');
  }

  /** What is meant for another server is none of our business (OCM-MLS R-183); of a share of its own a server says it. R-184 */
  private async renew(
    tx: Tx,
    from: Host,
    { address, mlsGroupId }: Group,
    order: MessageOrder,
    { providerId, groupId, recipient, sharedSecret }: CredentialEntry,
  ): Promise<void> {
    if (recipient !== this.config.domain || groupId !== address) return;
    const share = await this.received.byProvider(tx, from, providerId);
    const taken = share?.group === address && (await this.received.exchangeSecret(tx, share.id, sharedSecret, order));
    const facts = { event: 'credential.received', group: mlsGroupId, peer: from, providerId, taken };
    this.log.info(facts, 'a new credential of a share was received');
  }
}
