import { createHmac } from 'node:crypto';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import { CrashPoint } from '../support/crash.js';
import { leaseDatabase } from '../support/database.js';
import { feedHouse, HOOK, joined, manyEvents } from './feed-house.js';

const DAY_MS = 86_400_000;
const answer = (status: number): HttpAnswer => ({ status, headers: {}, body: new Uint8Array() });
const WORKERS = ['feed.placing', 'feed.sending', 'feed.pruning'];

/** What a receiver does with the secret that it was given. */
function isSignedBy(secret: string, { headers, body }: HttpRequest): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures = '' } = headers;
  const mac = createHmac('sha256', key).update(`${id}.${at}.${fromUtf8(body!)}`);
  return signatures.split(' ').includes(`v1,${mac.digest('base64')}`);
}

test('events are posted in order, signed, tried again, and given up in the open', async () => {
  await using lease = await leaseDatabase();
  await using house = await feedHouse(lease);
  const { network, clock } = house;
  let says: (request: HttpRequest) => HttpAnswer | Fault = () => answer(204);
  network.at(HOOK, (request) => says(request));
  const add = (body: object) => house.ask('POST', '/api/v1/webhooks', { body });
  const made = await add({ url: HOOK, types: ['members.*'], after: 'oldest' });
  expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
  const { id, secret } = made.json as { id: string; secret: string };
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const look = async () => (await house.ask('GET', `/api/v1/webhooks/${id}`)).json;
  const act = (what: string, body: object = {}) => house.ask('POST', `/api/v1/webhooks/${id}/${what}`, { body });

  await house.record(joined('1'), joined('2'));
  await house.turn(...WORKERS);
  expect(house.posted().map(({ member }) => member)).toEqual(['1', '2']);
  const [one] = network.asked;
  expect(one).toMatchObject({ method: 'POST', url: HOOK, configured: true, headOnly: true });
  expect(JSON.parse(fromUtf8(one!.body!))).toEqual({
    type: 'members.added',
    timestamp: clock.now().toISOString(),
    data: joined('1').data,
  });
  expect(network.asked.every((request) => isSignedBy(secret, request))).toBe(true);
  expect(isSignedBy(`whsec_${Buffer.alloc(32).toString('base64')}`, one!)).toBe(false);
  expect(await look()).toMatchObject({ state: 'active', backlog: 0, lastOutcome: 'delivered', failures: 0 });

  // It fails: nothing passes what was not taken, and the same id comes again.
  says = () => answer(503);
  await house.record(joined('3'), joined('4'));
  await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ failures: 1, lastOutcome: '503', backlog: 2 });
  says = () => new Fault('peer.timeout');
  clock.advance(3_000);
  await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ failures: 2, lastOutcome: 'peer.timeout' });
  const metrics = (await house.ask('GET', '/metrics')).text;
  expect(metrics).toContain(`covey_webhook_backlog_events{webhook="${id}",state="active"} 2`);
  expect(metrics).toContain(`covey_webhook_lag_seconds{webhook="${id}",state="active"} 3`);
  says = ({ headers }) => (headers['webhook-id']!.startsWith('3-') ? answer(204) : answer(302));
  clock.advance(10_000);
  await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ failures: 1, lastOutcome: '302', backlog: 1 });
  const posted = house.posted();
  expect(posted.map(({ member }) => member)).toEqual(['1', '2', '3', '3', '3', '4']);
  expect(new Set(posted.slice(2, 5).map(({ id: of }) => of)).size).toBe(1);

  // Another secret: both sign for a day.
  const { secret: fresh } = (await act('exchange-secret')).json as { secret: string };
  says = () => answer(200);
  clock.advance(DAY_MS - 1);
  await house.turn(...WORKERS);
  expect([secret, fresh].map((each) => isSignedBy(each, network.asked.at(-1)!))).toEqual([true, true]);
  clock.advance(1);
  expect((await act('test')).json).toEqual({ outcome: 'delivered' });
  expect([secret, fresh].map((each) => isSignedBy(each, network.asked.at(-1)!))).toEqual([false, true]);
  expect(network.asked.at(-1)!.headers['webhook-id']).toMatch(/^test-/);

  // Paused, and sent again from an earlier place on, with the ids it had.
  await act('pause');
  await house.record(joined('5'));
  await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ state: 'paused', backlog: 1 });
  network.asked.length = 0;
  await act('resume', { after: posted[2]!.id });
  await house.turn(...WORKERS);
  expect(house.posted().map(({ member }) => member)).toEqual(['4', '5']);
  expect(house.posted()[0]!.id).toBe(posted[5]!.id);

  // Given up: by the receiver, after five days, and when events were forgotten before it had them.
  says = () => answer(410);
  await house.record(joined('6'));
  await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ state: 'stopped', reason: 'gone', backlog: 1 });
  await act('resume');
  says = () => answer(500);
  for (let day = 0; day <= 5; day++, clock.advance(DAY_MS)) await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ state: 'stopped', reason: 'failing', lastOutcome: '500' });
  await act('resume');
  await act('pause');
  clock.advance(31 * DAY_MS);
  await house.turn(...WORKERS);
  expect((await act('resume')).json['code']).toBe('feed.cursor-expired');
  await house.query(`UPDATE webhook SET state = 'active'`);
  await house.record(joined('7'));
  await house.turn(...WORKERS);
  expect(await look()).toMatchObject({ state: 'stopped', reason: 'gap' });
  says = () => answer(200);
  await act('resume', { after: 'oldest' });
  await house.turn(...WORKERS);
  expect(house.posted().at(-1)!.member).toBe('7');
  const acts = await house.query<{ act: string; facts: object }>(
    `SELECT act, facts FROM audit_log WHERE act LIKE 'webhook.%' ORDER BY number`,
  );
  expect(acts.filter(({ act: name }) => name === 'webhook.stopped').map(({ facts }) => facts)).toMatchObject([
    { reason: 'gone' },
    { reason: 'failing' },
    { reason: 'gap' },
  ]);

  // Whoever reads along learns no secret.
  const [row] = await house.query<{ text: string }>(`SELECT webhook::text AS text FROM webhook`);
  const shown = [house.lines, JSON.stringify(acts), (await house.ask('GET', '/api/v1/webhooks')).text, metrics].flat();
  for (const each of [secret, fresh].map((text) => text.slice('whsec_'.length))) {
    expect(shown.join('\n')).not.toContain(each);
    expect(row!.text).not.toContain(Buffer.from(each, 'base64').toString('hex'));
  }
  expect((await house.ask('DELETE', `/api/v1/webhooks/${id}`)).status).toBe(204);
  expect((await act('pause')).json['code']).toBe('webhook.unknown');
});

test('nothing is posted to private addresses, unless the operator listed them', async () => {
  await using lease = await leaseDatabase();
  await using house = await feedHouse(lease, { COVEY_PRIVATE_TARGETS: '192.168.7.0/24, efss.internal' });
  const add = async (url: string) => {
    const { status, json } = await house.ask('POST', '/api/v1/webhooks', { body: { url } });
    return status === 201 ? status : json['code'];
  };
  const refused = [
    'https://127.0.0.1/hook',
    'https://localhost/hook',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.7/hook',
    'https://[::ffff:10.0.0.7]/hook',
    'http://efss.example.org/hook',
    'https://user:password@efss.example.org/hook',
  ];
  for (const url of refused) expect([url, await add(url)]).toEqual([url, 'webhook.url-refused']);
  for (const url of ['http://192.168.7.9/hook', 'http://efss.internal/hook'])
    expect([url, await add(url)]).toEqual([url, 201]);
  // What a name means is judged where the connection is made.
  house.network.at('http://efss.internal/hook', () => new Fault('peer.address-refused'));
  const { webhooks } = (await house.ask('GET', '/api/v1/webhooks')).json as { webhooks: { id: string; url: string }[] };
  const internal = webhooks.find(({ url }) => url.includes('internal'))!;
  const tested = await house.ask('POST', `/api/v1/webhooks/${internal.id}/test`);
  expect(tested.json).toEqual({ outcome: 'peer.address-refused' });
});

test('a server that dies anywhere between recording and storing sends everything, in order, repeats under the same id', async () => {
  await using lease = await leaseDatabase();
  const arrived: { id: string; body: string }[] = [];
  const boot = async () => {
    const house = await feedHouse(lease);
    house.network.at(HOOK, ({ headers, body }) => {
      arrived.push({ id: headers['webhook-id']!, body: fromUtf8(body!) });
      return answer(204);
    });
    const point = new CrashPoint();
    point.wrap(house.get(DataSource));
    return { house, point };
  };
  let { house, point } = await boot();
  await house.ask('POST', '/api/v1/webhooks', { body: { url: HOOK, after: 'oldest' } });
  point.watch();
  const round = async (n: number) => {
    await house.record(joined(`${n}-1`), joined(`${n}-2`));
    await house.turn('feed.placing', 'feed.sending');
  };
  await round(0);
  const statements = point.statements.length;
  const recorded = ['0-1', '0-2'];
  let deaths = 0;
  // Every second statement on each database, and so every one on some.
  const first = lease.kind === 'embedded' ? 1 : 2;
  for (let at = first; at <= statements; at += 2) {
    point.arm(at, at % 4 < 2 ? 'before' : 'after');
    await round(at).catch(() => undefined);
    if (point.isDead) deaths++;
    await house.app.close().catch(() => undefined);
    ({ house, point } = await boot());
    const rows = await house.query<{ n: string }>(
      `SELECT data ->> 'members' AS n FROM feed_event WHERE data::text LIKE $1`,
      [`%"${at}-_"%`],
    );
    // All of a transaction, or nothing.
    expect([0, 2]).toContain(rows.length);
    if (rows.length > 0) recorded.push(`${at}-1`, `${at}-2`);
    house.clock.advance(DAY_MS * at);
    await house.turn('feed.placing', 'feed.sending');
  }
  await house.app.close();
  expect(deaths).toBeGreaterThan(statements / 2 - 3);
  const once = [...new Map(arrived.map(({ id, body }) => [id, body])).values()];
  const told = once.map((body) => (JSON.parse(body) as { data: { members: string[] } }).data.members[0]);
  expect(told).toEqual(recorded);
  const bodies = new Map<string, Set<string>>();
  for (const { id, body } of arrived) bodies.set(id, (bodies.get(id) ?? new Set()).add(body));
  expect([...bodies.values()].every(({ size }) => size === 1)).toBe(true);
  expect(arrived.length).toBeGreaterThan(once.length);
});

test('ten thousand missed events reach a webhook that wants few of them', async () => {
  await using lease = await leaseDatabase();
  await using house = await feedHouse(lease);
  house.network.at(HOOK, () => answer(204));
  await house.ask('POST', '/api/v1/webhooks', { body: { url: HOOK, types: ['share.offered'], after: 'oldest' } });
  await house.query(...manyEvents(10_000));
  await house.turn('feed.placing', 'feed.sending');
  expect(house.network.asked).toHaveLength(100);
  const ids = house.network.asked.map(({ headers }) => Number(headers['webhook-id']!.split('-', 1)[0]));
  expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => (n + 1) * 100));
});
