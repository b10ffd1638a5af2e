import { Inject, Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { toHex, wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { advanceGroup, followAll, keyed, secretsOf } from './advance-group.js';
import { ClientRepository } from './client.repository.js';
import { ClientStateRepository } from './client-state.repository.js';
import {
  buildCommit,
  createFederatedGroup,
  proposeAdd,
  proposeAdmins,
  proposeReinit,
  proposeRemove,
  proposeUpdate,
  readHead,
  type ReadProposal,
  readProposal,
  type ReceivedCommit,
} from './epoch.js';
import { type CommitFacts, type GroupView, viewAt, viewOf } from './group-view.js';
import { type Joined, type Joining, JoiningService } from './joining.service.js';
import { checkKeyPackage, readKeyPackage } from './key-package.js';
import { epochOf, stateOf, succeed } from './local-group.js';
import { LocalGroupsService } from './local-groups.service.js';
import { makeKeyPackage } from './own-key-package.js';
import { type PendingCommit, PendingCommitRepository } from './pending-commit.repository.js';
import { memberAt, membersOf } from './roster.js';
import { clientState } from './stored-state.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

export interface CommitWish {
  readonly mlsGroupId: MlsGroupId;
  /** An admin of this server. */
  readonly committer: OcmAddress;
  readonly add: readonly { readonly address: OcmAddress; readonly keyPackage: Uint8Array }[];
  readonly remove: readonly OcmAddress[];
  /** Members whose leaves are replaced, by a Remove and an Add of the same address. */
  readonly rejoin?: readonly { readonly address: OcmAddress; readonly keyPackage: Uint8Array }[];
  /** The whole new admin set, when it changes. */
  readonly admins?: readonly OcmAddress[];
  /** Proposals of this epoch, as they were sent, to be covered by reference. */
  readonly proposals?: readonly Uint8Array[];
  /** The group is to go on as a successor, under a fresh random id: a ReInit, and nothing else. OCM-MLS R-142 */
  readonly reinit?: boolean;
}

export interface ProposedUpdate {
  readonly member: OcmAddress;
  /** ProposalRef in hex. */
  readonly ref: string;
  /** The MLSMessage. */
  readonly proposal: Uint8Array;
}

export interface Proposing {
  readonly mlsGroupId: MlsGroupId;
  readonly proposer: OcmAddress;
  readonly wish:
    | { readonly keyPackage: Uint8Array }
    | { readonly remove: OcmAddress }
    /** The whole new admin set. */
    | { readonly admins: readonly OcmAddress[] }
    /** A successor, under a fresh random id. */
    | { readonly reinit: true };
}

const GROUP_ID_LENGTH = 32;

/**
 * The groups of this server's users, as MLS sees them. Everything happens in the caller's transaction; whatever changes
 * a group's state locks it first, so that two uses of one state never come out of it.
 */
@Injectable()
export class MlsService {
  constructor(
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly clients: ClientRepository,
    private readonly states: ClientStateRepository,
    private readonly groups: LocalGroupsService,
    private readonly pendings: PendingCommitRepository,
    private readonly joining: JoiningService,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /** A group with its creator as only member and first admin, under a fresh random id. OCM-MLS */
  async createGroup(tx: Tx, { address, creator }: { address: OcmAddress; creator: OcmAddress }): Promise<GroupView> {
    const signatureKey = await this.clients.signatureKey(tx, creator);
    if (!signatureKey) throw new Fault('client.unknown', { address: creator });
    const making = { address: creator, kind: 'single', signatureKey, now: this.clock.now() } as const;
    const { message, privateKeys } = await makeKeyPackage(making, this.suite);
    const state = await createFederatedGroup(
      {
        groupId: this.dice.bytes(GROUP_ID_LENGTH),
        address,
        creator: { keyPackage: readKeyPackage(message), privateKeys },
      },
      this.suite,
    );
    const leaves = [{ address: creator, secrets: secretsOf(state) }];
    await this.groups.add(tx, { ...(await keyed(state, this.suite)), leaves });
    return viewOf(state);
  }

  /** The group as it stands. Throws `mls.group-unknown`. */
  async view(tx: Tx, mlsGroupId: MlsGroupId): Promise<GroupView> {
    const state = await this.states.look(tx, mlsGroupId);
    if (!state) throw new Fault('mls.group-unknown', { group: mlsGroupId });
    return viewAt(state.groupContext, state.ratchetTree, toHex(state.epochAuthenticator));
  }

  /**
   * Makes a Commit and keeps it, and the states that follow it, as the group's one pending Commit: until it is accepted
   * it has no effect (OCM-MLS R-019). Throws `commit.pending`, `mls.no-leaf`, `mls.not-member`, the fault of a bad
   * KeyPackage, and what our own policy refuses a Commit with.
   */
  async buildCommit(tx: Tx, wish: CommitWish): Promise<PendingCommit> {
    const { mlsGroupId, committer } = wish;
    const group = await this.groups.lock(tx, mlsGroupId);
    if (await this.pendings.digestOf(tx, mlsGroupId)) throw new Fault('commit.pending', { group: mlsGroupId });
    const now = this.clock.now();
    const members = membersOf(group.common.ratchetTree);
    const rejoin = wish.rejoin ?? [];
    const leaving = [...wish.remove, ...rejoin.map(({ address }) => address)];
    const remove = leaving.map((address) => {
      const member = memberAt(members, address);
      if (!member) throw new Fault('mls.not-member', { group: mlsGroupId, address });
      return member.leafIndex;
    });
    const add = [];
    for (const { address, keyPackage } of [...wish.add, ...rejoin]) {
      add.push(await checkKeyPackage(keyPackage, { userId: address, now }, this.suite));
    }
    const successor = wish.reinit && this.dice.bytes(GROUP_ID_LENGTH);
    const order = {
      add,
      remove,
      proposals: wish.proposals ?? [],
      now,
      ...(wish.admins && { admins: wish.admins }),
      ...(successor && { successor }),
    };
    const { next, spent, facts, ...messages } = await buildCommit(stateOf(group, committer), order, this.suite);
    const others = { ...group, leaves: group.leaves.filter(({ address }) => address !== committer) };
    const followed = await followAll(others, messages.commit, { state: next, facts }, this.suite);
    const leaves = [{ address: committer, secrets: secretsOf(next) }, ...followed];
    const { digest } = readHead(messages.commit);
    const pending = { ...messages, digest, epoch: epochOf(group), facts };
    await this.pendings.add(tx, mlsGroupId, pending, { ...(await keyed(next, this.suite)), leaves });
    this.db.afterCommit(tx, () => wipe(...spent));
    return pending;
  }

  /**
   * The pending Commit becomes the state of all local leaves. Leaves that joined while it waited go along. Throws
   * `commit.not-pending` when another one waits, or none.
   */
  async acceptPending(tx: Tx, mlsGroupId: MlsGroupId, digest: CommitDigest): Promise<PendingCommit> {
    const group = await this.groups.lock(tx, mlsGroupId);
    const taken = await this.pendings.take(tx, mlsGroupId);
    if (taken?.pending.digest !== digest || taken.pending.epoch !== epochOf(group)) {
      throw new Fault('commit.not-pending', { group: mlsGroupId, digest });
    }
    const { pending, next } = taken;
    const known = new Set(next.leaves.map(({ address }) => address));
    const late = { ...group, leaves: group.leaves.filter(({ address }) => !known.has(address)) };
    const after = { state: next.common, facts: pending.facts };
    const followed = await followAll(late, pending.commit, after, this.suite);
    const common = succeed(group.common, next.common);
    await this.groups.replace(tx, group, { ...next, common, leaves: [...next.leaves, ...followed] });
    this.db.afterCommit(tx, () => wipe(group.common.keySchedule.initSecret, group.groupKey));
    return pending;
  }

  /** OCM-MLS R-019: what was not accepted is discarded, the state is as it was. */
  async dropPending(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    await this.states.hold(tx, mlsGroupId);
    await this.pendings.remove(tx, mlsGroupId);
  }

  /** The Commit that waits, as it was made. */
  pendingCommit(tx: Tx, mlsGroupId: MlsGroupId): Promise<PendingCommit | undefined> {
    return this.pendings.find(tx, mlsGroupId);
  }

  /** The digest of the Commit that waits. */
  pending(tx: Tx, mlsGroupId: MlsGroupId): Promise<CommitDigest | undefined> {
    return this.pendings.digestOf(tx, mlsGroupId);
  }

  /** What a Commit says without any key. Throws `codec.malformed`. */
  readCommit(commit: Uint8Array): { mlsGroupId: MlsGroupId; epoch: Epoch; digest: CommitDigest } {
    const { kind, mlsGroupId, epoch, digest } = readHead(commit);
    if (kind !== 'commit' || mlsGroupId === undefined || epoch === undefined) {
      throw new Fault('codec.malformed', { what: `${kind} instead of commit` });
    }
    return { mlsGroupId, epoch, digest };
  }

  /**
   * Judges another's Commit and follows it with all local leaves, once; a pending one of ours has lost then. Throws
   * what the policy refuses with, before anything is applied, and leaves the state as it was.
   */
  async advance(
    tx: Tx,
    { mlsGroupId, ...messages }: ReceivedCommit & { mlsGroupId: MlsGroupId },
  ): Promise<CommitFacts> {
    const { digest } = this.readCommit(messages.commit);
    // One's own Commit cannot be opened: its states were kept when it was made.
    if ((await this.pending(tx, mlsGroupId)) === digest)
      return (await this.acceptPending(tx, mlsGroupId, digest)).facts;
    const group = await this.groups.lock(tx, mlsGroupId);
    const { next, facts, spent } = await advanceGroup(group, messages, this.suite);
    await this.pendings.remove(tx, mlsGroupId);
    await this.groups.replace(tx, group, next);
    this.db.afterCommit(tx, () => wipe(...spent, group.groupKey));
    return facts;
  }

  /**
   * What a member of this server cannot commit and asks the admins for, one's own removal among it (OCM-MLS R-059), as an
   * MLSMessage. Throws `mls.no-leaf`,
   * `mls.not-member` and `codec.malformed`.
   */
  async propose(tx: Tx, { mlsGroupId, proposer, wish }: Proposing): Promise<Uint8Array> {
    const group = await this.groups.lock(tx, mlsGroupId);
    const state = stateOf(group, proposer);
    if ('admins' in wish) return proposeAdmins(state, wish.admins, this.suite);
    if ('reinit' in wish) return proposeReinit(state, this.dice.bytes(GROUP_ID_LENGTH), this.suite);
    if ('keyPackage' in wish) return proposeAdd(state, readKeyPackage(wish.keyPackage), this.suite);
    const member = memberAt(membersOf(group.common.ratchetTree), wish.remove);
    if (!member) throw new Fault('mls.not-member', { group: mlsGroupId, address: wish.remove });
    return proposeRemove(state, member.leafIndex, this.suite);
  }

  /**
   * Updates of local leaves, whose keys are kept until the epoch ends (OCM-MLS R-128). None for a member who has no leaf
   * here yet, nor for one whose Update was proposed in this epoch: of two, only one could be covered.
   */
  async proposeUpdates(
    tx: Tx,
    { mlsGroupId, members }: { mlsGroupId: MlsGroupId; members: readonly OcmAddress[] },
  ): Promise<ProposedUpdate[]> {
    const group = await this.groups.lock(tx, mlsGroupId);
    const proposed: ProposedUpdate[] = [];
    for (const leaf of group.leaves.filter(({ address, secrets }) => members.includes(address) && !secrets.update)) {
      const { proposal, update } = await proposeUpdate(clientState(group.common, leaf.secrets), this.suite);
      await this.groups.putLeaf(tx, group, { ...leaf, secrets: { ...leaf.secrets, update } });
      proposed.push({ member: leaf.address, ref: update.ref, proposal });
    }
    return proposed;
  }

  /** Signature and membership tag are verified. Throws `codec.malformed` and `proposal.*`. OCM-MLS R-098 */
  async readProposal(
    tx: Tx,
    { mlsGroupId, proposal }: { mlsGroupId: MlsGroupId; proposal: Uint8Array },
  ): Promise<ReadProposal> {
    const group = await this.groups.lock(tx, mlsGroupId);
    return readProposal(stateOf(group, group.leaves[0]!.address), proposal, this.suite);
  }

  join(tx: Tx, joining: Joining): Promise<Joined> {
    return this.joining.join(tx, joining);
  }
}
