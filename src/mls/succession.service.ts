import { Inject, Injectable } from '@nestjs/common';
import type { OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { Tx } from '../platform/transaction.service.js';
import { keyed, secretsOf } from './advance-group.js';
import { ClientRepository } from './client.repository.js';
import { createSuccessor } from './epoch.js';
import { type GroupView, viewOf } from './group-view.js';
import { checkKeyPackage, readKeyPackage } from './key-package.js';
import { stateOf } from './local-group.js';
import { LocalGroupsService } from './local-groups.service.js';
import { makeKeyPackage } from './own-key-package.js';
import type { Successor } from './successor.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

export interface SuccessionWish {
  /** The suspended group. */
  readonly mlsGroupId: MlsGroupId;
  /** An admin of this server. */
  readonly creator: OcmAddress;
  /** All other members. */
  readonly members: readonly { readonly address: OcmAddress; readonly keyPackage: Uint8Array }[];
}

/** How a suspended group gets its successor, and when its own state ends. */
@Injectable()
export class SuccessionService {
  constructor(
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly clients: ClientRepository,
    private readonly groups: LocalGroupsService,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /**
   * Creates the successor with its creator's leaf; the Welcome is for all others, those of this server too. Throws
   * `client.unknown`, `mls.no-leaf`, the fault of a bad KeyPackage (OCM-MLS R-218), and as `createSuccessor`.
   */
  async create(
    tx: Tx,
    { mlsGroupId, creator, members }: SuccessionWish,
  ): Promise<{ readonly view: GroupView } & Pick<Successor, 'welcome'>> {
    const old = stateOf(await this.groups.lock(tx, mlsGroupId), creator);
    const signatureKey = await this.clients.signatureKey(tx, creator);
    if (!signatureKey) throw new Fault('client.unknown', { address: creator });
    const now = this.clock.now();
    const own = await makeKeyPackage({ address: creator, kind: 'single', signatureKey, now }, this.suite);
    const others = [];
    for (const { address, keyPackage } of members) {
      others.push(await checkKeyPackage(keyPackage, { userId: address, now }, this.suite));
    }
    const order = {
      creator: { keyPackage: readKeyPackage(own.message), privateKeys: own.privateKeys },
      members: others,
      nonce: this.dice.bytes(this.suite.kdf.size),
      now,
    };
    const { state, welcome } = await createSuccessor(old, order, this.suite);
    const leaves = [{ address: creator, secrets: secretsOf(state) }];
    await this.groups.add(tx, { ...(await keyed(state, this.suite)), leaves });
    return { view: viewOf(state), ...(welcome && { welcome }) };
  }

  /** Lets go of the old group: its resumption PSK with all but its last Group Key. OCM-MLS */
  async forget(tx: Tx, mlsGroupId: MlsGroupId): Promise<void> {
    const group = await this.groups.find(tx, mlsGroupId);
    if (group) await this.groups.letGo(tx, group, 'for-a-while');
  }
}
