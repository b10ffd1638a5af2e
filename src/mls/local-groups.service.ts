import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import { ClientStateRepository, type LockedEpoch } from './client-state.repository.js';
import { EarlierGroupKeyRepository, GROUP_KEY_KEPT_MS } from './earlier-group-key.repository.js';
import { LeafRepository } from './leaf.repository.js';
import { epochOf, idOf, type LocalGroup, type LocalLeaf } from './local-group.js';
import type { CommonState } from './stored-state.js';

/** A group's states as they were locked. */
export interface LockedGroup extends LocalGroup {
  readonly locked: LockedEpoch;
}

/** Loads and stores the states of all local leaves of a group, together. */
@Injectable()
export class LocalGroupsService {
  constructor(
    private readonly epochs: ClientStateRepository,
    private readonly leaves: LeafRepository,
    private readonly earlierKeys: EarlierGroupKeyRepository,
    private readonly clock: Clock,
  ) {}

  /** Throws `mls.group-unknown` when this server has no leaf in the group. */
  async lock(tx: Tx, mlsGroupId: MlsGroupId): Promise<LockedGroup> {
    const group = await this.find(tx, mlsGroupId);
    if (!group) throw new Fault('mls.group-unknown', { group: mlsGroupId });
    return group;
  }

  async find(tx: Tx, mlsGroupId: MlsGroupId): Promise<LockedGroup | undefined> {
    const locked = await this.epochs.lock(tx, mlsGroupId);
    return locked && { ...locked, locked, leaves: await this.leaves.of(tx, mlsGroupId) };
  }

  async add(tx: Tx, group: LocalGroup): Promise<void> {
    await this.epochs.add(tx, group);
    await this.putLeaves(tx, group);
  }

  /**
   * Stores what follows. Leaves that are not in `next` have left: their secrets go, and with the last one all that is
   * held of the group (OCM-MLS R-158). The Group Key of an epoch that ends stays for a while.
   */
  async replace(tx: Tx, before: LockedGroup, next: LocalGroup): Promise<void> {
    const mlsGroupId = idOf(before);
    if (next.leaves.length === 0) {
      await this.earlierKeys.forgetAll(tx, mlsGroupId);
      return this.epochs.remove(tx, before.locked);
    }
    await this.epochs.save(tx, before.locked, next);
    if (epochOf(next) !== epochOf(before)) await this.keepKey(tx, before, this.untilLater());
    const staying = new Set(next.leaves.map(({ address }) => address));
    for (const { address } of before.leaves) {
      if (!staying.has(address)) await this.leaves.remove(tx, mlsGroupId, address);
    }
    await this.putLeaves(tx, next);
  }

  /** The state goes, and its Group Key stays: for a while, or until the group is back. OCM-MLS */
  async letGo(tx: Tx, group: LockedGroup, how: 'for-a-while' | 'until-it-is-back'): Promise<void> {
    await this.keepKey(tx, group, how === 'for-a-while' ? this.untilLater() : null);
    await this.epochs.remove(tx, group.locked);
  }

  /** What changed of the state within its epoch, leaves apart. */
  async putCommon(tx: Tx, group: LockedGroup, common: CommonState): Promise<void> {
    await this.epochs.save(tx, group.locked, { ...group, common });
  }

  /** One leaf, new or changed within the epoch. */
  async putLeaf(tx: Tx, group: LockedGroup, leaf: LocalLeaf): Promise<void> {
    await this.leaves.put(tx, idOf(group), leaf, group.common.ratchetTree);
  }

  private async keepKey(tx: Tx, group: LockedGroup, keptUntil: Date | null): Promise<void> {
    await this.earlierKeys.keep(tx, idOf(group), epochOf(group), group.groupKey, keptUntil);
  }

  private untilLater(): Date {
    return new Date(this.clock.now().getTime() + GROUP_KEY_KEPT_MS);
  }

  private async putLeaves(tx: Tx, group: LocalGroup): Promise<void> {
    for (const leaf of group.leaves) await this.leaves.put(tx, idOf(group), leaf, group.common.ratchetTree);
  }
}
