import { host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { PeerClient } from '../../src/ocm/peer.client.js';
import type { Person } from '../support/cast.js';
import type { Environment } from '../support/environment.js';
import { World } from '../support/world.js';
import { elapsed, median } from './measure.js';

/** Longer than the interval at which leaves are renewed. */
const HOURS = 10;
const ROUNDS = 5;
/** As `COVEY_DELIVERY_CONCURRENCY` is by itself. */
const COURIERS = 8;

const named = (count: number): string[] => Array.from({ length: count }, (_, at) => `s${at}.test`);

export interface Spread {
  readonly servers: number;
  /** From the owner server's acceptance until all member servers hold the epoch. */
  readonly commitMs: number;
  /** As many signed requests of the same size, verified and refused. */
  readonly bareMs: number;
  readonly ratio: number;
}

/** How long a Commit takes to reach the servers of a group, all in one process, against bare signed requests to them. */
export async function benchSpread(servers: number): Promise<Spread> {
  const [owner, ...others] = named(servers + 1) as [string, ...string[]];
  await using world = await World.of(owner, ...others);
  const people: readonly Person[] = await world.users(...[owner, ...others].map((name) => `user@${name}`));
  const [alice, ...members] = people as [Person, ...Person[]];
  const group = await alice.createGroup('lab', members);
  const [commits, bare]: [number[], number[]] = [[], []];
  const client = world.server(owner).get(PeerClient);
  for (let round = 0; round <= ROUNDS; round++) {
    const who = members[round]!;
    await alice.appoint(group, who);
    // The owner's own work ends with the acceptance; what is left is to tell the others.
    const owning = world.server(owner);
    for (const turn of owning.turns.filter(({ name }) => name.startsWith('groups.'))) while (await turn.turn());
    const before = world.network.exchanges.length;
    const courier = owning.turns.find(({ name }) => name === 'outbox.courier')!;
    const carry = async () => {
      while (await courier.turn());
    };
    // A server enters the epoch before it answers.
    const commitMs = await elapsed(() => Promise.all(Array.from({ length: COURIERS }, carry)));
    const reached = world.network.exchanges.slice(before).filter(({ outcome }) => outcome === 201);
    if (reached.length !== servers) throw new Error(`${reached.length} servers hold the epoch`);
    await world.settle();
    const size = world.network.exchanges.slice(before).find(({ what }) => what === 'MLS_COMMIT')!.request.body!.length;
    const body = utf8(
      JSON.stringify({ notificationType: 'MLS_NOTHING', senderDomain: owner, filler: 'x'.repeat(size) }),
    );
    world.clock.advance(5_000);
    const bareMs = await elapsed(() =>
      Promise.all(others.map((name) => client.post(host(name), '/notifications', body))),
    );
    if (round === 0) continue;
    commits.push(commitMs);
    bare.push(bareMs);
  }
  for (const person of people) {
    const { epoch } = await person.sees(group);
    if (epoch !== ROUNDS + 2) throw new Error(`${person.address} is at ${epoch}`);
  }
  const [commitMs, bareMs] = [median(commits), median(bare)];
  return { servers, commitMs, bareMs, ratio: commitMs / bareMs };
}

export interface LargeStep {
  readonly step: string;
  readonly seconds: number;
  readonly epochs: number;
  readonly requests: number;
  readonly wireKiB: number;
  readonly databaseMiB: number;
  readonly rssMiB: number;
}

/** Leaves are renewed a few hours after they came, as always; nobody is missed in this story. */
const LIVELY: Environment = {
  COVEY_UPDATE_INTERVAL: '28800',
  COVEY_UPDATE_DEADLINE: '864000',
  COVEY_TAKEOVER_TIME: '8640000',
};

/** The life of a group of many members on many servers, step by step. */
export async function benchLarge(members: number, servers: number, say: (line: string) => void): Promise<LargeStep[]> {
  const [owner, ...others] = named(servers) as [string, ...string[]];
  const every = [owner, ...others];
  await using world = await World.with(Object.fromEntries(every.map((name) => [name, LIVELY])));
  const people: readonly Person[] = await world.users(
    ...Array.from({ length: members }, (_, at) => `user${at}@${every[at % servers]}`),
  );
  const [alice, ...rest] = people as [Person, ...Person[]];
  const steps: LargeStep[] = [];
  let group = '';
  const epochNow = async () => (group === '' ? 0 : (await alice.sees(group)).epoch);
  const step = async (name: string, work: () => Promise<unknown>) => {
    const [from, before] = [world.network.exchanges.length, await epochNow()];
    const ms = await elapsed(async () => {
      await work();
      await world.settle();
    });
    const sent = world.network.exchanges.slice(from);
    const bytes = sent.reduce(
      (sum, { request, answer }) => sum + (request.body?.length ?? 0) + (answer?.body.length ?? 0),
      0,
    );
    const [size] = await world
      .server(owner)
      .query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
    steps.push({
      step: name,
      seconds: ms / 1000,
      epochs: (await epochNow()) - before,
      requests: sent.length,
      wireKiB: bytes / 1024,
      databaseMiB: Number(size!.bytes) / 2 ** 20,
      rssMiB: process.memoryUsage.rss() / 2 ** 20,
    });
    say(JSON.stringify(steps.at(-1)));
  };
  const newcomers = await world.users(`late@${owner}`, `later@${others[0]}`);
  await step('create', async () => (group = await alice.createGroup('lab')));
  await step(`add ${members - 1} members`, async () => {
    for (const member of rest) await alice.add(group, member);
  });
  const change = async (when: string) => {
    await step(`add one, ${when}`, () => alice.add(group, newcomers[1]));
    await step(`remove one, ${when}`, () => alice.remove(group, newcomers[1]));
    await step(`an empty path Commit (appoint), ${when}`, () => alice.appoint(group, rest[0]!));
    await step(`dismiss, ${when}`, () => alice.dismiss(group, rest[0]!));
  };
  await change('before the leaves were renewed');
  await step('all leaves are renewed', async () => {
    for (let hour = 0; hour < HOURS; hour++) {
      world.clock.advanceHours(1);
      await world.settle();
    }
  });
  await change('after');
  await world.add('late.test', LIVELY);
  const [dora] = await world.users('dora@late.test');
  await step('a server joins', () => alice.add(group, dora));
  const { epoch, members: all } = await dora.sees(group);
  if (all.length !== members + 1 || epoch !== (await alice.sees(group)).epoch) throw new Error('they do not agree');
  return steps;
}
