import { Inject, Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { wipe } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { type Opened, openApplication, type OpenedMessage, sealApplication } from './application.js';
import { ClientStateRepository } from './client-state.repository.js';
import { EarlierGroupKeyRepository } from './earlier-group-key.repository.js';
import { requireFederatedGroup, written } from './federated-group.js';
import type { Wrapping } from './group-key.js';
import { epochOf, type LocalLeaf } from './local-group.js';
import { type LockedGroup, LocalGroupsService } from './local-groups.service.js';
import { readHead } from './mls-message.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

/** A message to the members of a group, and who sent it. */
export interface Sealed {
  readonly message: Uint8Array;
  readonly epoch: Epoch;
  readonly speaker: OcmAddress;
  readonly generation: number;
}

interface WrappedIn {
  readonly mlsGroupId: MlsGroupId;
  readonly address: OcmAddress;
}

/** What members of a group tell each other under its keys. OCM-MLS section 7.4.4 */
@Injectable()
export class ApplicationsService {
  constructor(
    private readonly db: TransactionService,
    private readonly states: ClientStateRepository,
    private readonly groups: LocalGroupsService,
    private readonly earlierKeys: EarlierGroupKeyRepository,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /**
   * Seals messages in the epoch in which the group stands here (OCM-MLS R-113), all through one leaf of this server: of
   * those that it holds the leftmost, and the same one as long as the epoch lasts (R-179, D-19). Throws
   * `mls.group-unknown`, and `group.closed` after a ReInit.
   */
  async seal(tx: Tx, mlsGroupId: MlsGroupId, messages: readonly Uint8Array[]): Promise<Sealed[]> {
    const group = await this.groups.lock(tx, mlsGroupId);
    const speaker = await this.speaker(tx, group);
    const spent: Uint8Array[] = [];
    const sealed: Sealed[] = [];
    let { common } = group;
    for (const data of messages) {
      const step = await sealApplication({ ...group, common }, speaker, data, this.suite);
      common = step.common;
      spent.push(...step.spent);
      sealed.push({
        message: step.message,
        epoch: epochOf(group),
        speaker: speaker.address,
        generation: step.generation,
      });
    }
    await this.groups.putCommon(tx, group, common);
    this.db.afterCommit(tx, () => wipe(...spent));
    return sealed;
  }

  /** Opens a message for all local leaves, once. Throws what `openApplication` does, and `mls.group-unknown`. */
  async open(
    tx: Tx,
    mlsGroupId: MlsGroupId,
    message: Uint8Array,
  ): Promise<Exclude<Opened, { kind: 'opened' }> | { readonly kind: 'opened'; readonly message: OpenedMessage }> {
    const group = await this.groups.lock(tx, mlsGroupId);
    const opened = await openApplication(group, message, this.suite);
    if (opened.kind !== 'opened') return opened;
    await this.groups.putCommon(tx, group, opened.common);
    this.db.afterCommit(tx, () => wipe(...opened.spent));
    return { kind: 'opened', message: opened.message };
  }

  /** What a message says without any key. Throws `codec.malformed`. */
  readMessage(message: Uint8Array): { readonly mlsGroupId: MlsGroupId; readonly epoch: Epoch } {
    const { kind, mlsGroupId, epoch } = readHead(message);
    if (kind !== 'application' || mlsGroupId === undefined || epoch === undefined) {
      throw new Fault('codec.malformed', { what: `${kind} instead of application data` });
    }
    return { mlsGroupId, epoch };
  }

  /** What file keys are wrapped with now. The key is to be wiped after use. Throws `mls.group-unknown`. OCM-MLS R-165 */
  async wrapping(tx: Tx, mlsGroupId: MlsGroupId): Promise<Wrapping> {
    const { common, groupKey } = await this.groups.lock(tx, mlsGroupId);
    return { groupKey, label: requireFederatedGroup(common.groupContext.extensions).groupAddress };
  }

  /**
   * What file keys were wrapped with in an epoch, while that is kept still. The key is to be wiped after use.
   * OCM-MLS
   */
  async wrappingOf(tx: Tx, { mlsGroupId, address }: WrappedIn, at: Epoch): Promise<Wrapping | undefined> {
    const group = await this.groups.find(tx, mlsGroupId);
    const label = group ? requireFederatedGroup(group.common.groupContext.extensions).groupAddress : written(address);
    if (group && epochOf(group) === at) return { groupKey: group.groupKey, label };
    const groupKey = await this.earlierKeys.find(tx, mlsGroupId, at);
    return groupKey && { groupKey, label };
  }

  /** Whatever was wrapped before the epoch `before` was wrapped anew. OCM-MLS R-175 */
  async forgetKeysBefore(tx: Tx, mlsGroupId: MlsGroupId, before: Epoch): Promise<void> {
    await this.earlierKeys.forgetBefore(tx, mlsGroupId, before);
  }

  /** Group Keys whose time is over. OCM-MLS R-175 */
  async forgetOldKeys(tx: Tx, at: Date): Promise<void> {
    await this.earlierKeys.forgetOld(tx, at);
  }

  private async speaker(tx: Tx, group: LockedGroup): Promise<LocalLeaf> {
    const pinned = await this.states.speaker(tx, group.locked);
    const speaker = group.leaves.find(({ address }) => address === pinned) ?? group.leaves[0]!;
    if (speaker.address !== pinned) await this.states.pin(tx, group.locked, speaker.address);
    return speaker;
  }
}
