import { expect, test } from 'vitest';
import { EventRepository } from '../../src/feed/event.repository.js';
import { FEED_ROWS } from '../../src/feed/feed.module.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import type { HttpRequest } from '../../src/kernel/network.js';
import { host } from '../../src/kernel/address.js';
import { leaseDatabase } from '../support/database.js';
import { World } from '../support/world.js';
import { feedHouse, HOOK, joined, manyEvents } from './feed-house.js';

test('what commits later comes later, whatever its number', async () => {
  await using lease = await leaseDatabase();
  const db = await lease.transactions(FEED_ROWS);
  const events = new EventRepository();
  const at = new Date(0);
  const place = () => db.run(async (tx) => (await events.place(tx, (await events.lockEnds(tx)).head, 10)).count);
  await db.run(async (slow) => {
    await events.add(slow, [joined('slow')], at);
    const other = await lease.open(FEED_ROWS);
    const otherDb = await lease.transactions(FEED_ROWS);
    await otherDb.run((tx) => events.add(tx, [joined('quick')], at));
    const count = await otherDb.run(async (tx) => (await events.place(tx, (await events.lockEnds(tx)).head, 10)).count);
    expect(count).toBe(1);
    await other.destroy();
  });
  expect(await place()).toBe(1);
  const { events: told } = await db.run(async (tx) => events.after(tx, (await events.ends(tx)).pruned, {}, 10));
  expect(told.map(({ data }) => (data['members'] as string[])[0])).toEqual(['quick', 'slow']);
});

test('two replicas place and send at the same time, each event once and in order', async () => {
  await using lease = await leaseDatabase();
  await using one = await feedHouse(lease);
  await using two = await feedHouse(lease);
  const arrived: number[] = [];
  let [under, most] = [0, 0];
  const take = async ({ body }: HttpRequest) => {
    most = Math.max(most, ++under);
    // The other one looks while this one sends.
    if (arrived.length % 500 === 5 && under === 1) await two.turn('feed.sending');
    arrived.push((JSON.parse(fromUtf8(body!)) as { data: { n: number } }).data.n);
    under--;
    return { status: 204, headers: {}, body: new Uint8Array() };
  };
  for (const house of [one, two]) house.network.at(HOOK, take);
  await one.ask('POST', '/api/v1/webhooks', { body: { url: HOOK, after: 'oldest' } });
  await one.query(...manyEvents(2_000));
  await Promise.all([one, two].map((house) => house.turn('feed.placing')));
  await Promise.all([one, two].map((house) => house.turn('feed.sending')));
  await one.turn('feed.placing', 'feed.sending');
  expect(most).toBe(1);
  expect(arrived).toEqual(Array.from({ length: 2_000 }, (_, n) => n + 1));
  const [row] = await one.query<{ n: number }>(
    'SELECT count(DISTINCT position)::integer AS n FROM feed_event WHERE position BETWEEN 1 AND 2000',
  );
  expect(row!.n).toBe(2_000);
});

interface Told {
  readonly cursor: string;
  readonly type: string;
  readonly data: { readonly group: string; readonly members: readonly string[] };
}

test('a group, its approvals and its shares through crashes: the feed and the webhook miss nothing and keep the order', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [a, b] = [world.server('a.test'), world.server('b.test')];
  const arrived: { id: string; body: string }[] = [];
  world.network.attach(host('efss.test'), ({ headers, body }) => {
    arrived.push({ id: headers['webhook-id']!, body: fromUtf8(body!) });
    return Promise.resolve({ status: 204, headers: {}, body: new Uint8Array() });
  });
  expect((await a.api('POST', '/webhooks', { url: 'https://efss.test/hook', after: 'oldest' })).status).toBe(201);
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test', 'carol@b.test');
  const lab = await alice.createGroup('lab', [bob]);

  /** Reads on from where it was, as an EFSS does. */
  const reader = (server: typeof a) => {
    const told: Told[] = [];
    let after = 'oldest';
    return {
      told,
      async read() {
        for (let more = true; more;) {
          const { body } = await server.api('GET', `/events?limit=5&after=${after}`);
          const page = body as { events: Told[]; next: string; more: boolean };
          told.push(...page.events);
          ({ next: after, more } = page);
        }
        return told;
      },
    };
  };
  const readers = [reader(a), reader(b)] as const;
  const change = (n: number) =>
    n % 2 === 0
      ? a.api('POST', `/groups/${lab}/members`, { address: 'carol@b.test', by: 'alice@a.test' })
      : a.api('DELETE', `/groups/${lab}/members/carol@b.test?by=alice@a.test`);
  await change(0);
  a.crash.watch();
  await world.settle();
  const statements = a.crash.statements.length;
  let deaths = 0;
  for (let part = 1; part <= 5; part++) {
    await change(part);
    a.crash.arm(Math.floor((statements * part) / 6), part % 2 === 0 ? 'before' : 'after');
    await world.settle();
    if (!a.isAlive) deaths++;
    await world.restart('a.test');
    await world.pass(100_000);
    await readers[0].read();
  }
  expect(deaths).toBeGreaterThan(3);
  const share = await alice.share(lab, 'data.tar');
  await world.pass(600_000);
  await alice.unshare(share);
  await bob.add(lab, 'carol@b.test');
  // His server may still wait before it tries ours again, which died.
  await world.pass(600_000);
  const [asked] = await alice.approvals();
  await alice.decline(asked!);
  await world.settle();

  for (const [at, one] of readers.entries()) {
    const told = await one.read();
    // The roster is what the events make of it.
    const roster = new Set<string>();
    for (const { type, data } of told) {
      if (type === 'members.added') for (const member of data.members) roster.add(member);
      if (type === 'members.removed') for (const member of data.members) roster.delete(member);
    }
    expect([...roster].sort()).toEqual((await [alice, bob][at]!.members(lab)).sort());
  }
  const told = readers[0].told;
  expect(told.map(({ cursor }) => Number(cursor.split('-', 1)[0]))).toEqual(told.map((_, n) => n + 1));
  const types = told.map(({ type }) => type);
  expect(types.slice(0, 2)).toEqual(['group.founded', 'members.added']);
  expect(types.filter((type) => type === 'members.removed')).toHaveLength(3);
  const last = [
    'share.offered',
    'share.accepted',
    'share.accepted',
    'share.ended',
    'approval.asked',
    'approval.declined',
  ];
  expect(types.filter((type) => /^(share|approval)\./.test(type))).toEqual(last);
  expect(types).toEqual(expect.arrayContaining(['group.epoch', 'change.done', 'received_share.received']));
  const others = readers[1].told.map(({ type }) => type);
  expect(others).toEqual(expect.arrayContaining(['group.joined', 'received_share.received', 'received_share.ended']));

  const once = new Map<string, string>();
  for (const { id, body } of arrived) {
    expect(once.get(id) ?? body).toBe(body);
    once.set(id, body);
  }
  expect([...once.keys()]).toEqual(told.map(({ cursor }) => cursor));
  console.info(`${deaths} deaths, ${told.length} events, ${arrived.length} webhooks`);
});
