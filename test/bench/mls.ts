import {
  defaultCryptoProvider,
  encodeGroupState,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  type ClientState,
} from 'ts-mls';
import { ocmAddress } from '../../src/kernel/address.js';
import type { BuiltCommit } from '../../src/mls/commit.js';
import { advance, buildCommit, createFederatedGroup, join } from '../../src/mls/epoch.js';
import { readKeyPackage } from '../../src/mls/key-package.js';
import { makeKeyPackage } from '../../src/mls/own-key-package.js';
import { groupKey } from '../../src/mls/group-key.js';
import { writeEpoch, writeLeaf } from '../../src/mls/stored-state.js';
import { type Suite, SUITE_NAME, suiteFrom } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';
import { type Comparison, median } from './measure.js';

/** Members of the group, and how often each operation is measured. */
const SIZES = [
  { members: 10, rounds: 15 },
  { members: 100, rounds: 7 },
  { members: 1000, rounds: 3 },
] as const;
const NOW = new Date('2027-01-04T09:00:00Z');
export const NOTHING = { add: [], remove: [], proposals: [], now: NOW };

export async function user(name: string, suite: Suite) {
  const signatureKey = suite.rng.randomBytes(32);
  const address = ocmAddress(`${name}@server${name.length}.test`);
  const made = await makeKeyPackage({ address, kind: 'single', signatureKey, now: NOW }, suite);
  return { keyPackage: readKeyPackage(made.message), privateKeys: made.privateKeys };
}
type User = Awaited<ReturnType<typeof user>>;

/** A group as its creator has it after one Commit that added everybody, with what the operations begin from. */
interface Scene {
  readonly creator: User;
  readonly others: readonly User[];
  readonly alice: ClientState;
  readonly bob: ClientState;
  /** All others are added in it. */
  readonly filled: BuiltCommit;
  readonly newcomer: User;
  readonly update: BuiltCommit;
  readonly addition: BuiltCommit;
}

const found = (creator: User, suite: Suite) =>
  createFederatedGroup({ groupId: new Uint8Array(32).fill(9), address: ocmAddress('lab@a.test'), creator }, suite);

async function scene(members: number, suite: Suite): Promise<Scene> {
  const creator = await user('alice', suite);
  const others = await Promise.all(Array.from({ length: members - 1 }, (_, at) => user(`user${at}`, suite)));
  const add = others.map(({ keyPackage }) => keyPackage);
  const filled = await buildCommit(await found(creator, suite), { ...NOTHING, add }, suite);
  const [first] = others;
  const bob = await join(filled.welcome!, first!.keyPackage, first!.privateKeys, suite);
  const newcomer = await user('newcomer', suite);
  const update = await buildCommit(filled.next, NOTHING, suite);
  // The newcomer finds a tree in which one path is filled, as after any Commit but the first.
  const addition = await buildCommit(update.next, { ...NOTHING, add: [newcomer.keyPackage] }, suite);
  return { creator, others, alice: filled.next, bob, filled, newcomer, update, addition };
}

/** Every operation of a group's life through our seam, with either crypto provider. */
function operations(stage: Scene, last: number): Readonly<Record<string, (suite: Suite) => Promise<unknown>>> {
  const { creator, others, alice, bob, newcomer, update, addition } = stage;
  const add = others.map(({ keyPackage }) => keyPackage);
  return {
    'create a group and add all': async (suite) => buildCommit(await found(creator, suite), { ...NOTHING, add }, suite),
    'add one': (suite) => buildCommit(alice, { ...NOTHING, add: [newcomer.keyPackage] }, suite),
    'remove one': (suite) => buildCommit(alice, { ...NOTHING, remove: [last] }, suite),
    'update (an empty Commit)': (suite) => buildCommit(alice, NOTHING, suite),
    'follow an update': (suite) => advance(bob, update, suite),
    join: (suite) => join(addition.welcome!, newcomer.keyPackage, newcomer.privateKeys, suite),
  };
}

/** CPU milliseconds of all threads: WebCrypto works on several, and a wall clock would not count them. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const begun = process.cpuUsage();
  await work();
  const { user: own, system } = process.cpuUsage(begun);
  return (own + system) / 1000;
}

/** node:crypto against the WebCrypto provider that comes with ts-mls, operation by operation and size by size. */
export async function benchMls(): Promise<Comparison[]> {
  const ours = await suiteFrom(new TestDice('bench'));
  const bare = await getCiphersuiteImpl(getCiphersuiteFromName(SUITE_NAME), defaultCryptoProvider);
  const comparisons: Comparison[] = [];
  for (const { members, rounds } of SIZES) {
    const stage = await scene(members, ours);
    for (const [name, operation] of Object.entries(operations(stage, members - 1))) {
      const [oursTimes, bareTimes]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        oursTimes.push(await cpuMs(() => operation(ours)));
        bareTimes.push(await cpuMs(() => operation(bare)));
      }
      const [oursMs, bareMs] = [median(oursTimes), median(bareTimes)];
      const what = `MLS, ${members} members: ${name} (CPU)`;
      comparisons.push({
        what,
        ours: 'node:crypto',
        bare: 'WebCrypto provider',
        oursMs,
        bareMs,
        ratio: oursMs / bareMs,
      });
    }
  }
  return comparisons;
}

export interface StateSize {
  readonly members: number;
  /** Bytes: as the library encodes it, with the epoch before it and without. */
  readonly whole: number;
  readonly withoutEarlier: number;
  /** Bytes at rest, with the epoch before: once for the group (public, sealed), and for each local leaf. */
  readonly storedPublic: number;
  readonly storedShared: number;
  readonly storedLeaf: number;
  /** Bytes on the wire, in a tree that was never updated. */
  readonly emptyCommit: number;
  readonly welcomeToAll: number;
}

/** How large states and messages are. */
export async function stateSizes(): Promise<StateSize[]> {
  const suite = await suiteFrom(new TestDice('bench'));
  const sizes: StateSize[] = [];
  for (const { members } of SIZES) {
    const { filled, update } = await scene(members, suite);
    const state = update.next;
    const stored = writeEpoch({ common: state, groupKey: await groupKey(state, suite) });
    sizes.push({
      members,
      whole: encodeGroupState(state).length,
      withoutEarlier: encodeGroupState({ ...state, historicalReceiverData: new Map() }).length,
      storedPublic: stored.public.length,
      storedShared: stored.shared.length,
      storedLeaf: writeLeaf(state, state.ratchetTree).length,
      emptyCommit: update.commit.length,
      welcomeToAll: filled.welcome!.length,
    });
  }
  return sizes;
}
