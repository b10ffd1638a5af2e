import { Injectable } from '@nestjs/common';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import { ClientStateRepository, type LockedEpoch } from './client-state.repository.js';
import { LeafRepository } from './leaf.repository.js';
import { idOf, type LocalGroup, type LocalLeaf } from './local-group.js';

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
   * held of the group. OCM-MLS R-158
   */
  async replace(tx: Tx, before: LockedGroup, next: LocalGroup): Promise<void> {
    const mlsGroupId = idOf(before);
    if (next.leaves.length === 0) return this.epochs.remove(tx, before.locked);
    await this.epochs.save(tx, before.locked, next);
    const staying = new Set(next.leaves.map(({ address }) => address));
    for (const { address } of before.leaves) {
      if (!staying.has(address)) await this.leaves.remove(tx, mlsGroupId, address);
    }
    await this.putLeaves(tx, next);
  }

  /** One leaf, new or changed within the epoch. */
  async putLeaf(tx: Tx, group: LockedGroup, leaf: LocalLeaf): Promise<void> {
    await this.leaves.put(tx, idOf(group), leaf, group.common.ratchetTree);
  }

  private async putLeaves(tx: Tx, group: LocalGroup): Promise<void> {
    for (const leaf of group.leaves) await this.leaves.put(tx, idOf(group), leaf, group.common.ratchetTree);
  }
}
