import { Inject, Injectable } from '@nestjs/common';
import type { ClientState, KeyPackage } from 'ts-mls';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { sameBytes, toHex, wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { Config } from '../platform/config.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { keyed, secretsOf } from './advance-group.js';
import { ClientStateRepository } from './client-state.repository.js';
import { advance, commitDigest, join, type Origin, type ReceivedCommit, welcomeOrigin, welcomeRefs } from './epoch.js';
import { type GroupView, viewOf } from './group-view.js';
import { joinBeside } from './join-beside.js';
import { type JoinedWelcome, JoinedWelcomeRepository } from './joined-welcome.repository.js';
import { readKeyPackage } from './key-package.js';
import { KeyPackageRepository } from './key-package.repository.js';
import { EarlierGroupKeyRepository, GROUP_KEY_KEPT_MS } from './earlier-group-key.repository.js';
import { epochOf, type LocalLeaf, stateOf } from './local-group.js';
import { type LockedGroup, LocalGroupsService } from './local-groups.service.js';
import type { OwnKeyPackage } from './own-key-package.js';
import { creatorOf } from './reinit.js';
import { clientState, type CommonState } from './stored-state.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

export interface Joining {
  readonly userId: OcmAddress;
  readonly welcome: Uint8Array;
  /** The group that it is said to be for: when that is here in the same epoch, joining it costs little. */
  readonly advised?: MlsGroupId;
  /** The Commits that ended the epochs from `at` on, oldest first: asked for when the group here is ahead. */
  readonly since?: (at: Epoch) => Promise<readonly ReceivedCommit[]>;
  /**
   * For a group that takes the place of another one: whether what `creator` made is joined beside what is here, or in its
   * stead. Throws when it is not to be joined. OCM-MLS R-149
   */
  readonly rank?: (creator: OcmAddress) => 'join' | 'replace';
}

/** `ready: false`: the group here is behind the Welcome; `view` is as the Welcome tells it, and nothing was stored. */
export interface Joined {
  readonly view: GroupView;
  readonly ready: boolean;
  /** The admins of the epoch that the Welcome leads into, which may have passed since. Absent when it was joined before. */
  readonly inviters?: readonly OcmAddress[];
  /** Who made the group, when it takes the place of another one. */
  readonly creator?: OcmAddress;
}

/** Users of this server who are taken into groups. */
@Injectable()
export class JoiningService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly states: ClientStateRepository,
    private readonly groups: LocalGroupsService,
    private readonly keyPackages: KeyPackageRepository,
    private readonly welcomes: JoinedWelcomeRepository,
    private readonly earlierKeys: EarlierGroupKeyRepository,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /**
   * Joins a group with a user's first leaf here or one more. The same Welcome again is answered as before. Throws
   * `codec.malformed`, `client.foreign`, `welcome.not-ours`, `welcome.wrong-user`, `welcome.used`,
   * `welcome.member-already`, `welcome.apart`, `welcome.unreachable`, `welcome.outdated`, `welcome.early` and
   * `welcome.origin-unknown` for a successor of a group that did not end here, whose own Welcome may be under way, what `rank` throws, and what `join` refuses
   * with (OCM-MLS ). Whether the address may be bound is for the caller to judge.
   */
  async join(tx: Tx, { userId, welcome, advised, since, rank }: Joining): Promise<Joined> {
    if (hostOf(userId) !== this.config.domain) throw new Fault('client.foreign', { address: userId });
    const refs = welcomeRefs(welcome);
    const digest = commitDigest(welcome);
    // Locked first: the same Welcome that comes twice at once waits here for itself.
    const ours = await this.keyPackages.lockAmong(tx, refs);
    const before = await this.welcomes.find(tx, digest, userId);
    if (before) return this.again(tx, userId, before.mlsGroupId);
    const own = ours.find(({ address }) => address === userId) ?? (await this.refuse(tx, userId, refs, ours));
    const keyPackage = readKeyPackage(own.message);
    const beside = advised && (await this.beside(tx, advised, { userId, welcome, keyPackage, own }));
    if (beside) {
      await this.done(tx, own, { digest, address: userId, ref: own.ref, mlsGroupId: beside.view.mlsGroupId });
      return beside;
    }
    const origin = await welcomeOrigin(welcome, keyPackage, own.privateKeys, this.suite);
    const old = origin && (await this.ended(tx, origin, userId));
    const state = await join(welcome, keyPackage, own.privateKeys, this.suite, old);
    const creator = old && creatorOf(state.ratchetTree);
    const view = viewOf(state);
    const { mlsGroupId, admins: inviters } = view;

    await this.states.claim(tx, mlsGroupId);
    const group = await this.standing(tx, mlsGroupId, creator && rank?.(creator) === 'replace');
    if (group && epochOf(group) < view.epoch) return { view, ready: false };
    const joined = await (group
      ? this.enter(tx, group, userId, state, since)
      : this.found(tx, userId, await this.catchUp(tx, state, since)));
    await this.done(tx, own, { digest, address: userId, ref: own.ref, mlsGroupId });
    return { view: joined, ready: true, inviters, ...(creator && { creator }) };
  }

  /** The Welcome and its KeyPackage have done their work. */
  private async done(tx: Tx, own: OwnKeyPackage, welcome: JoinedWelcome): Promise<void> {
    await this.keyPackages.used(tx, own);
    await this.welcomes.add(tx, welcome, this.clock.now());
    this.db.afterCommit(tx, () => wipe(own.privateKeys.initPrivateKey));
  }

  /** One more leaf in the epoch in which the group is here. */
  private async beside(
    tx: Tx,
    advised: MlsGroupId,
    {
      userId,
      welcome,
      keyPackage,
      own,
    }: Pick<Joining, 'userId' | 'welcome'> & { keyPackage: KeyPackage; own: OwnKeyPackage },
  ): Promise<Joined | undefined> {
    await this.states.claim(tx, advised);
    const group = await this.groups.find(tx, advised);
    if (!group) return undefined;
    const secrets = await joinBeside(group.common, welcome, keyPackage, own.privateKeys, this.suite);
    if (!secrets) return undefined;
    await this.put(tx, group, { address: userId, secrets });
    const view = viewOf(clientState(group.common, secrets));
    return { view, ready: true, inviters: view.admins };
  }

  private async put(tx: Tx, group: LockedGroup, leaf: LocalLeaf): Promise<void> {
    const userId = leaf.address;
    if (group.leaves.some(({ address }) => address === userId)) throw memberAlready(userId, group.common);
    await this.groups.putLeaf(tx, group, leaf);
  }

  private async again(tx: Tx, userId: OcmAddress, mlsGroupId: MlsGroupId): Promise<Joined> {
    const group = await this.groups.find(tx, mlsGroupId);
    if (!group?.leaves.some(({ address }) => address === userId)) throw new Fault('welcome.used', { userId });
    return { view: viewOf(stateOf(group, userId)), ready: true };
  }

  private async refuse(tx: Tx, userId: OcmAddress, refs: string[], ours: readonly OwnKeyPackage[]): Promise<never> {
    if (await this.welcomes.knows(tx, refs, userId)) throw new Fault('welcome.used', { userId });
    throw new Fault(ours.length > 0 ? 'welcome.wrong-user' : 'welcome.not-ours', { userId });
  }

  /** The state of the user in the group that a Welcome takes the place of, where it knows its successor. */
  private async ended(tx: Tx, { mlsGroupId, epoch }: Origin, userId: OcmAddress): Promise<ClientState> {
    const group = await this.groups.find(tx, mlsGroupId);
    if (!group) throw new Fault('welcome.origin-unknown', { group: mlsGroupId });
    // The Commits that end it may be under way, and so may the Welcome by which the user came into it.
    const isThere = group.leaves.some(({ address }) => address === userId);
    if (!isThere || epochOf(group) < epoch) throw new Fault('welcome.early', { group: mlsGroupId, epoch });
    return stateOf(group, userId);
  }

  private async standing(tx: Tx, mlsGroupId: MlsGroupId, outranked?: boolean): Promise<LockedGroup | undefined> {
    const group = await this.groups.find(tx, mlsGroupId);
    if (!group || !outranked) return group;
    await this.groups.replace(tx, group, { ...group, leaves: [] });
    return undefined;
  }

  /** The first leaf of this server in the group. */
  private async found(tx: Tx, userId: OcmAddress, state: ClientState): Promise<GroupView> {
    const view = viewOf(state);
    const leaves = [{ address: userId, secrets: secretsOf(state) }];
    await this.groups.add(tx, { ...(await keyed(state, this.suite)), leaves });
    const keptUntil = new Date(this.clock.now().getTime() + GROUP_KEY_KEPT_MS);
    await this.earlierKeys.back(tx, view.mlsGroupId, view.epoch, keptUntil);
    return view;
  }

  /**
   * One more leaf. It brings its own secrets only: the ratchets of the group here have moved on, and must not go back.
   */
  private async enter(
    tx: Tx,
    group: LockedGroup,
    userId: OcmAddress,
    welcomed: ClientState,
    since: Joining['since'],
  ): Promise<GroupView> {
    if (group.leaves.some(({ address }) => address === userId)) throw memberAlready(userId, welcomed);
    const state = await this.catchUp(tx, welcomed, since);
    const { epoch: current } = group.common.groupContext;
    if (state.groupContext.epoch !== current) throw new Fault('welcome.unreachable', { epoch: viewOf(state).epoch });
    const here = group.common.keySchedule.epochAuthenticator;
    if (!sameBytes(state.keySchedule.epochAuthenticator, here)) throw new Fault('welcome.apart', { userId });
    await this.put(tx, group, { address: userId, secrets: secretsOf(state) });
    return viewOf(state);
  }

  /**
   * Takes the new leaf alone through the Commits that this server has followed since; with other leaves, which may all
   * have been removed meanwhile.
   */
  private async catchUp(tx: Tx, welcomed: ClientState, since: Joining['since']): Promise<ClientState> {
    let state = welcomed;
    for (const messages of (await since?.(viewOf(welcomed).epoch)) ?? []) {
      const step = await advance(state, messages, this.suite);
      this.db.afterCommit(tx, () => wipe(...step.spent));
      if (step.selfRemoved) throw new Fault('welcome.outdated', { epoch: step.facts.after.epoch });
      state = step.state;
    }
    return state;
  }
}

/** With the epoch that the Welcome leads to, and the confirmation tag by which the Commit that began it is known. */
const memberAlready = (userId: OcmAddress, { groupContext, confirmationTag }: CommonState) =>
  new Fault('welcome.member-already', { userId, epoch: Number(groupContext.epoch), tag: toHex(confirmationTag) });
