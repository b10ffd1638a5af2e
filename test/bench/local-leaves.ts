import type { ClientState } from 'ts-mls';
import { ocmAddress } from '../../src/kernel/address.js';
import { advanceGroup, keyed, secretsOf } from '../../src/mls/advance-group.js';
import { advance, buildCommit, createFederatedGroup, join, proposeUpdate } from '../../src/mls/epoch.js';
import type { LocalGroup } from '../../src/mls/local-group.js';
import { suiteFrom, type Suite } from '../../src/mls/suite.js';
import { TestDice } from '../support/dice.js';
import { elapsed, median } from './measure.js';
import { NOTHING, user } from './mls.js';

const MEMBERS = 200;
const LOCAL = [1, 10, 100] as const;
const ROUNDS = 7;
const UPDATES = 10;

/** A group as its creator has it, and as the users of another server do. */
async function group(suite: Suite) {
  const creator = await user('alice', suite);
  const others = await Promise.all(Array.from({ length: MEMBERS - 1 }, (_, at) => user(`user${at}`, suite)));
  const groupId = new Uint8Array(32).fill(9);
  const first = await createFederatedGroup({ groupId, address: ocmAddress('lab@a.test'), creator }, suite);
  const add = others.map(({ keyPackage }) => keyPackage);
  const filled = await buildCommit(first, { ...NOTHING, add }, suite);
  const enter = (at: number) => join(filled.welcome!, others[at]!.keyPackage, others[at]!.privateKeys, suite);
  return { alice: filled.next, enter };
}

export interface LocalLeaves {
  readonly leaves: number;
  readonly ms: number;
  /** What each leaf but the first costs, against the first. */
  readonly further: number;
}

/** Following one Commit of a group of 200 for so many leaves of one server. */
export async function benchLocalLeaves(): Promise<LocalLeaves[]> {
  const suite = await suiteFrom(new TestDice('leaves'));
  const { alice, enter } = await group(suite);
  const states: ClientState[] = [];
  for (let at = 0; at < Math.max(...LOCAL); at++) states.push(await enter(at));
  const update = await buildCommit(alice, NOTHING, suite);
  const common = await keyed(states[0]!, suite);
  const times = new Map<number, number[]>(LOCAL.map((count) => [count, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const count of LOCAL) {
      const leaves = states
        .slice(0, count)
        .map((state, at) => ({ address: ocmAddress(`user${at}@b.test`), secrets: secretsOf(state) }));
      const local: LocalGroup = { ...common, leaves };
      const ms = await elapsed(() => advanceGroup(local, update, suite));
      if (round > 0) times.get(count)!.push(ms);
    }
  }
  const one = median(times.get(1)!);
  return LOCAL.map((leaves) => {
    const ms = median(times.get(leaves)!);
    return { leaves, ms, further: leaves === 1 ? 1 : (ms - one) / (leaves - 1) / one };
  });
}

export interface Gathered {
  readonly what: string;
  readonly commits: number;
  readonly buildMs: number;
  readonly followMs: number;
  readonly bytes: number;
}

/** Ten Updates of a group of 200 in one Commit, and in one each. */
export async function benchGatheredUpdates(): Promise<Gathered[]> {
  const suite = await suiteFrom(new TestDice('updates'));
  const { alice, enter } = await group(suite);
  const updaters = await Promise.all(Array.from({ length: UPDATES }, (_, at) => enter(at)));
  const follower = await enter(UPDATES);
  const gathered: Gathered[] = [];
  for (const together of [true, false]) {
    const results: Gathered[] = [];
    for (let round = 0; round < 3; round++) results.push(await story(together));
    results.sort((one, other) => one.buildMs + one.followMs - other.buildMs - other.followMs);
    gathered.push(results[1]!);
  }
  return gathered;

  /** One by one, each Update is made in the epoch in which it is committed. */
  async function story(together: boolean): Promise<Gathered> {
    let [committer, watcher] = [alice, follower];
    let waiting = [...updaters];
    const sums = { commits: 0, buildMs: 0, followMs: 0, bytes: 0 };
    while (waiting.length > 0) {
      const now = waiting.splice(0, together ? UPDATES : 1);
      const proposals = await Promise.all(now.map(async (state) => (await proposeUpdate(state, suite)).proposal));
      let built: Awaited<ReturnType<typeof buildCommit>>;
      sums.buildMs += await elapsed(
        async () => (built = await buildCommit(committer, { ...NOTHING, proposals }, suite)),
      );
      sums.followMs += await elapsed(async () => (watcher = (await advance(watcher, built!, suite)).state));
      waiting = await Promise.all(waiting.map(async (state) => (await advance(state, built!, suite)).state));
      committer = built!.next;
      sums.commits += 1;
      sums.bytes += built!.commit.length + proposals.reduce((sum, one) => sum + one.length, 0);
    }
    return { what: together ? 'ten Updates in one Commit' : 'one Commit for each of ten', ...sums };
  }
}
