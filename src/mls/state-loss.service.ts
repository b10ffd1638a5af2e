import { Inject, Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { sameBytes, toHex, wipe } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { ClientStateRepository } from './client-state.repository.js';
import { checkKeyPackage, readKeyPackage } from './key-package.js';
import { KeyPackagesService } from './key-packages.service.js';
import { LocalGroupsService } from './local-groups.service.js';
import { refOf } from './own-key-package.js';
import { readRejoinCommit, type RejoinCommit } from './rejoin-commit.js';
import { leavesOf } from './roster.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

/** Made for one user, to be offered to admins. */
export interface FreshKeyPackage {
  readonly userId: OcmAddress;
  readonly ref: string;
  readonly content: Uint8Array;
}

/** What MLS has to say when a server lost its state of a group, here or elsewhere. OCM-MLS section 7.6 */
@Injectable()
export class StateLossService {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly states: ClientStateRepository,
    private readonly groups: LocalGroupsService,
    private readonly keyPackages: KeyPackagesService,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /** The state of all our leaves goes, with a Commit that waits; the last Group Key stays. OCM-MLS */
  async discard(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    const group = await this.groups.find(tx, mlsGroupId);
    if (!group) return;
    await this.groups.letGo(tx, group, 'until-it-is-back');
    this.db.afterCommit(tx, () => wipe(group.groupKey));
  }

  /** A KeyPackage that nobody has seen, with its reference; nothing for who is no user any more. OCM-MLS R-126 */
  async freshKeyPackage(tx: Tx, address: OcmAddress): Promise<{ content: Uint8Array; ref: string } | undefined> {
    const content = await this.keyPackages.makeGiven(tx, address);
    return content && { content, ref: await refOf(readKeyPackage(content), this.suite) };
  }

  /** One for each of them who is a user still. */
  async freshKeyPackages(tx: Tx, users: readonly OcmAddress[]): Promise<FreshKeyPackage[]> {
    const fresh: FreshKeyPackage[] = [];
    for (const userId of users) {
      const made = await this.freshKeyPackage(tx, userId);
      if (made) fresh.push({ userId, ...made });
    }
    return fresh;
  }

  /** The database went back: no single-use KeyPackage in stock can be known to be unused. */
  withdrawKeyPackages(tx: Tx): Promise<void> {
    return this.keyPackages.withdraw(tx);
  }

  /**
   * Whether the leaf of a member can be replaced by this KeyPackage: one that is in the tree already cannot. Throws
   * `mls.group-unknown`, and the fault of a KeyPackage that is not good for this user. OCM-MLS R-135
   */
  async replaces(tx: Tx, mlsGroupId: MlsGroupId, userId: OcmAddress, keyPackage: Uint8Array): Promise<boolean> {
    const state = await this.states.look(tx, mlsGroupId);
    if (!state) throw new Fault('mls.group-unknown', { group: mlsGroupId });
    const { leafNode } = await checkKeyPackage(keyPackage, { userId, now: this.clock.now() }, this.suite);
    const known = ({ node }: ReturnType<typeof leavesOf>[number]) =>
      sameBytes(node.hpkePublicKey, leafNode.hpkePublicKey);
    return !leavesOf(state.ratchetTree).some(known);
  }

  /** Throws `codec.malformed`. */
  readCommit(commit: Uint8Array): Promise<RejoinCommit> {
    return readRejoinCommit(commit, this.suite);
  }

  /** In hex, of the Commit that began the epoch in which the group stands here. */
  async confirmationTag(tx: Tx, mlsGroupId: MlsGroupId): Promise<string | undefined> {
    const state = await this.states.look(tx, mlsGroupId);
    return state && toHex(state.confirmationTag);
  }
}
