import type { ClientState, KeyPackage, PrivateKeyPackage } from 'ts-mls';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import { encodeRatchetTree } from 'ts-mls/ratchetTree.js';
import { expect } from 'vitest';
import { ocmAddress, type OcmAddress } from '../../../src/kernel/address.js';
import { toHex } from '../../../src/kernel/bytes.js';
import { secretsOf } from '../../../src/mls/advance-group.js';
import { advance, buildCommit, createFederatedGroup, join, proposeRemove } from '../../../src/mls/epoch.js';
import { followLeaf } from '../../../src/mls/follow-leaf.js';
import { viewOf } from '../../../src/mls/group-view.js';
import { readKeyPackage } from '../../../src/mls/key-package.js';
import { makeKeyPackage } from '../../../src/mls/own-key-package.js';
import { followPublicly, type PublicGroup } from '../../../src/mls/public-group.js';
import { clientState, readLeaf, writeLeaf } from '../../../src/mls/stored-state.js';
import type { Suite } from '../../../src/mls/suite.js';
import { TestClock } from '../../support/clock.js';
import { TestDice } from '../../support/dice.js';

export const now = new TestClock().now();

interface User {
  readonly address: OcmAddress;
  readonly keyPackage: KeyPackage;
  readonly privateKeys: PrivateKeyPackage;
}

async function user(name: string, dice: TestDice, suite: Suite): Promise<User> {
  const address = ocmAddress(`${name}@a.test`);
  const own = await makeKeyPackage({ address, kind: 'single', signatureKey: dice.bytes(32), now }, suite);
  return { address, keyPackage: readKeyPackage(own.message), privateKeys: own.privateKeys };
}

/** All members of one group in one process, and somebody outside, moved on by random Commits. */
export class Crowd {
  readonly states = new Map<OcmAddress, ClientState>();
  private born = 0;

  private constructor(
    private readonly dice: TestDice,
    readonly suite: Suite,
    /** The group as somebody knows it who has seen its Commits and holds no secret. */
    public outside: PublicGroup,
  ) {}

  static async of(seed: string, size: number, suite: Suite): Promise<Crowd> {
    const dice = new TestDice(seed);
    const founder = await user('founder', dice, suite);
    const groupId = dice.bytes(32);
    const state = await createFederatedGroup({ groupId, address: ocmAddress('lab@a.test'), creator: founder }, suite);
    const crowd = new Crowd(dice, suite, publicPartOf(state));
    crowd.states.set(founder.address, state);
    await crowd.commit({ add: size - 1 });
    return crowd;
  }

  below = (limit: number): number => Buffer.from(this.dice.bytes(4)).readUInt32BE() % limit;

  pick<T>(from: Iterable<T>): T {
    const list = [...from];
    return list[this.below(list.length)]!;
  }

  /** A random change by a random admin; returns how many leaves went along, each checked against the full way. */
  async step(): Promise<number> {
    const admins = viewOf(this.pick(this.states.values())).admins;
    const committer = this.pick(admins);
    const others = [...this.states.keys()].filter((address) => address !== committer);
    const plain = others.filter((address) => !admins.includes(address));
    if (plain.length < 3) return this.commit({ committer, add: 3 });
    switch (this.below(6)) {
      case 0:
        return this.commit({ committer, add: 1 + this.below(3) });
      case 1:
        return this.commit({ committer, remove: [this.pick(plain), this.pick(plain)] });
      case 2:
        return this.commit({ committer, leave: this.pick(plain) });
      case 3:
        return this.commit({ committer, remove: [this.pick(plain)], add: 2 });
      case 4:
        return this.commit({ committer, admins: [...admins, this.pick(plain)] });
      default:
        return this.commit({ committer });
    }
  }

  async commit(change: {
    committer?: OcmAddress;
    add?: number;
    remove?: OcmAddress[];
    leave?: OcmAddress;
    admins?: OcmAddress[];
  }): Promise<number> {
    const committer = change.committer ?? [...this.states.keys()][0]!;
    const state = this.states.get(committer)!;
    const newcomers: User[] = [];
    for (let i = 0; i < (change.add ?? 0); i++) newcomers.push(await user(`user${this.born++}`, this.dice, this.suite));
    const leafOf = (address: OcmAddress) =>
      viewOf(state).members.find((member) => member.address === address)!.leafIndex;
    const leaver = change.leave && this.states.get(change.leave)!;
    const proposals = leaver ? [await proposeRemove(leaver, leaver.privatePath.leafIndex, this.suite)] : [];
    const built = await buildCommit(
      state,
      {
        add: newcomers.map(({ keyPackage }) => keyPackage),
        remove: [...new Set(change.remove)].map(leafOf),
        proposals,
        now,
        ...(change.admins && { admins: change.admins }),
      },
      this.suite,
    );
    this.outside = (await followPublicly(this.outside, built, this.suite)).next;
    expect(inBytes(this.outside)).toEqual(inBytes(built.next));
    let followed = 0;
    for (const [address, before] of this.states) {
      if (address === committer) continue;
      const step = await advance(before, built, this.suite);
      if (step.selfRemoved) {
        this.states.delete(address);
        continue;
      }
      const secrets = await followLeaf(before, built.commit, step.state, this.suite);
      const { ratchetTree } = step.state;
      expect(writeLeaf(secrets, ratchetTree)).toEqual(writeLeaf(secretsOf(step.state), ratchetTree));
      // From here on it lives by what it followed with, loaded as a server would.
      this.states.set(address, clientState(step.state, readLeaf(writeLeaf(secrets, ratchetTree))));
      followed += 1;
    }
    this.states.set(committer, built.next);
    for (const { address, keyPackage, privateKeys } of newcomers) {
      this.states.set(address, await join(built.welcome!, keyPackage, privateKeys, this.suite));
    }
    const authenticators = [...this.states.values()].map((one) => viewOf(one).epochAuthenticator);
    expect(new Set(authenticators).size).toBe(1);
    return followed;
  }
}

/** What is left of a state without its secrets. */
export const publicPartOf = ({
  groupContext,
  ratchetTree,
  confirmationTag,
  groupActiveState,
}: ClientState): PublicGroup => ({ groupContext, ratchetTree, confirmationTag, groupActiveState });

/** A public state byte for byte: trees that were built and trees that were read carry different extras. */
export const inBytes = ({ groupContext, ratchetTree, confirmationTag, groupActiveState }: PublicGroup) => ({
  groupContext: toHex(encodeGroupContext(groupContext)),
  ratchetTree: toHex(encodeRatchetTree(ratchetTree)),
  confirmationTag: toHex(confirmationTag),
  kind: groupActiveState.kind,
});
