import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { type FaultCode, isFault } from '../kernel/fault.js';
import { MlsService, type Proposing } from '../mls/mls.service.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Config } from '../platform/config.js';
import type { Tx } from '../platform/transaction.service.js';
import { proposalTo, PROPOSED } from './broadcast.js';
import { type Change, objectionTo, PROPOSED_FOR_MS } from './change.js';
import { ChangeRepository } from './change.repository.js';
import { GapRepository } from './gap.repository.js';
import { adminServers, type Group } from './group.js';
import type { Locked } from './group.repository.js';
import { MemberRepository } from './member.repository.js';
import { ProposalsService } from './proposals.service.js';

/**
 * What members of this server want and cannot commit themselves: to leave, and all that takes an admin. It is proposed to
 * the home servers of all admins (OCM-MLS R-013), anew in each epoch that did not bring it, until it comes true, is
 * refused, withdrawn or given up (D-13).
 */
@Injectable()
export class ProposingService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly changes: ChangeRepository,
    private readonly members: MemberRepository,
    private readonly gaps: GapRepository,
    private readonly proposals: ProposalsService,
    private readonly mls: MlsService,
    private readonly outbox: Outbox,
  ) {}

  async propose(tx: Tx, group: Locked<Group>): Promise<void> {
    for (const change of await this.changes.open(tx, group.mlsGroupId)) {
      if (change.kind === 'leave') {
        if (change.state === 'prepared' && change.proposedIn !== group.epoch) await this.proposeOne(tx, group, change);
        continue;
      }
      if (change.state !== 'proposed') continue;
      const fault = await this.hopeless(tx, group, change);
      if (fault) await this.changes.save(tx, { ...change, state: 'refused', fault });
      else if (change.proposedIn !== group.epoch) await this.proposeOne(tx, group, change);
    }
  }

  private async hopeless(tx: Tx, group: Group, change: Change): Promise<FaultCode | undefined> {
    if (this.clock.now() >= givenUpAt(change)) return 'change.expired';
    const members = new Set((await this.members.of(tx, group.mlsGroupId)).map(({ address }) => address));
    const isMember = (address: Change['actor']) => members.has(address);
    return objectionTo(change, { here: this.config.domain, admins: group.admins, isMember });
  }

  private async proposeOne(tx: Tx, group: Locked<Group>, change: Change): Promise<void> {
    const content = await this.proposalOf(tx, group, change);
    if (!content) return;
    const servers = adminServers(group);
    const proposed = { ...change, proposedIn: group.epoch };
    await this.changes.save(tx, change.state === 'proposed' ? { ...proposed, nextTryAt: givenUpAt(change) } : proposed);
    if (servers.includes(this.config.domain) && !(await this.isTakenHere(tx, group, change, content))) return;
    await this.gaps.expect(tx, group, this.clock.now());
    const from = { here: this.config.domain, mlsGroupId: group.mlsGroupId };
    for (const letter of proposalTo(from, servers, change.actor, content)) {
      await this.outbox.post(tx, { ...letter, subject: change.id, answerTo: PROPOSED });
    }
  }

  /** The admins of this server are asked like all others. When they have declined it, nobody else is asked. */
  private async isTakenHere(tx: Tx, group: Locked<Group>, change: Change, content: Uint8Array): Promise<boolean> {
    try {
      await this.proposals.queue(tx, group, content);
      return true;
    } catch (error) {
      if (!isFault(error, 'proposal.declined')) throw error;
      await this.changes.save(tx, { ...change, state: 'refused', fault: 'change.declined' });
      return false;
    }
  }

  /** None while the Welcome of the proposer is under way, nor a leave while no other admin is there (OCM-MLS R-064). */
  private async proposalOf(tx: Tx, group: Group, change: Change): Promise<Uint8Array | undefined> {
    const { mlsGroupId, admins } = group;
    const { kind, subject, actor } = change;
    if (kind === 'leave' && admins.every((admin) => admin === subject)) return undefined;
    try {
      return await this.mls.propose(tx, { mlsGroupId, proposer: actor, wish: wishOf(change, group) });
    } catch (error) {
      if (isFault(error, 'mls.no-leaf') || isFault(error, 'mls.group-unknown')) return undefined;
      throw error;
    }
  }
}

/** A wish about an admin is one for the whole new set (OCM-MLS R-082): appended, or without who is dismissed. */
function wishOf({ kind, subject, keyPackage }: Change, { admins }: Group): Proposing['wish'] {
  if (kind === 'add') return { keyPackage: keyPackage! };
  if (kind === 'reinit') return { reinit: true };
  if (kind === 'appoint') return { admins: [...admins, subject] };
  if (kind === 'dismiss') return { admins: admins.filter((admin) => admin !== subject) };
  return { remove: subject };
}

const givenUpAt = ({ requestedAt }: Change): Date => new Date(requestedAt.getTime() + PROPOSED_FOR_MS);
