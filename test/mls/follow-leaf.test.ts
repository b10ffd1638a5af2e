import type { ClientState, KeyPackage, PrivateKeyPackage } from 'ts-mls';
import { beforeAll, expect, test } from 'vitest';
import { ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { secretsOf } from '../../src/mls/advance-group.js';
import { advance, buildCommit, createFederatedGroup, join, proposeRemove } from '../../src/mls/epoch.js';
import { followLeaf } from '../../src/mls/follow-leaf.js';
import { viewOf } from '../../src/mls/group-view.js';
import { readKeyPackage } from '../../src/mls/key-package.js';
import { makeKeyPackage } from '../../src/mls/own-key-package.js';
import { clientState, readLeaf, writeLeaf } from '../../src/mls/stored-state.js';
import { type Suite, suiteFrom } from '../../src/mls/suite.js';
import { TestClock } from '../support/clock.js';
import { TestDice } from '../support/dice.js';

const now = new TestClock().now();
let suite: Suite;
beforeAll(async () => {
  suite = await suiteFrom(new TestDice('follow-leaf'));
});

interface User {
  readonly address: OcmAddress;
  readonly keyPackage: KeyPackage;
  readonly privateKeys: PrivateKeyPackage;
}

async function user(name: string, dice: TestDice): Promise<User> {
  const address = ocmAddress(`${name}@a.test`);
  const own = await makeKeyPackage({ address, kind: 'single', signatureKey: dice.bytes(32), now }, suite);
  return { address, keyPackage: readKeyPackage(own.message), privateKeys: own.privateKeys };
}

/** All members of one group in one process, moved on by random Commits. */
class Crowd {
  readonly states = new Map<OcmAddress, ClientState>();
  private born = 0;

  constructor(private readonly dice: TestDice) {}

  static async of(seed: string, size: number): Promise<Crowd> {
    const crowd = new Crowd(new TestDice(seed));
    const founder = await user('founder', crowd.dice);
    const groupId = crowd.dice.bytes(32);
    const state = await createFederatedGroup({ groupId, address: ocmAddress('lab@a.test'), creator: founder }, suite);
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
    for (let i = 0; i < (change.add ?? 0); i++) newcomers.push(await user(`user${this.born++}`, this.dice));
    const leafOf = (address: OcmAddress) =>
      viewOf(state).members.find((member) => member.address === address)!.leafIndex;
    const leaver = change.leave && this.states.get(change.leave)!;
    const proposals = leaver ? [await proposeRemove(leaver, leaver.privatePath.leafIndex, suite)] : [];
    const built = await buildCommit(
      state,
      {
        add: newcomers.map(({ keyPackage }) => keyPackage),
        remove: [...new Set(change.remove)].map(leafOf),
        proposals,
        now,
        ...(change.admins && { admins: change.admins }),
      },
      suite,
    );
    let followed = 0;
    for (const [address, before] of this.states) {
      if (address === committer) continue;
      const step = await advance(before, built, suite);
      if (step.selfRemoved) {
        this.states.delete(address);
        continue;
      }
      const secrets = await followLeaf(before, built.commit, step.state, suite);
      const { ratchetTree } = step.state;
      expect(writeLeaf(secrets, ratchetTree)).toEqual(writeLeaf(secretsOf(step.state), ratchetTree));
      // From here on it lives by what it followed with, loaded as a server would.
      this.states.set(address, clientState(step.state, readLeaf(writeLeaf(secrets, ratchetTree))));
      followed += 1;
    }
    this.states.set(committer, built.next);
    for (const { address, keyPackage, privateKeys } of newcomers) {
      this.states.set(address, await join(built.welcome!, keyPackage, privateKeys, suite));
    }
    const authenticators = [...this.states.values()].map((one) => viewOf(one).epochAuthenticator);
    expect(new Set(authenticators).size).toBe(1);
    return followed;
  }
}

test.each(['one', 'two', 'three'])(
  'a leaf that goes along ends where one that applies the Commit ends: %s',
  async (seed) => {
    const crowd = await Crowd.of(seed, 6);
    let followed = 0;
    for (let step = 0; step < 20; step++) followed += await crowd.step();
    expect(followed).toBeGreaterThan(60);
  },
);

test('a leaf for which nothing, or something else, was sealed is not taken along', async () => {
  const crowd = await Crowd.of('apart', 5);
  const [committer, first, second] = [...crowd.states.values()];
  const built = await buildCommit(committer!, { add: [], remove: [], proposals: [], now }, suite);
  const { state } = await advance(first!, built, suite);
  const other = await buildCommit(committer!, { add: [], remove: [], proposals: [], now }, suite);
  await expect(followLeaf(second!, other.commit, state, suite)).rejects.toThrow('commit.leaves-apart');
  const keyless = { ...second!, privatePath: { ...second!.privatePath, privateKeys: {} } };
  await expect(followLeaf(keyless, built.commit, state, suite)).rejects.toThrow('commit.leaves-apart');
  await followLeaf(second!, built.commit, state, suite);
});
