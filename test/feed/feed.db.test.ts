import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { parseCursor } from '../../src/feed/cursor.js';
import { StreamsWorker } from '../../src/feed/streams.worker.js';
import { API_KEY } from '../platform/app.js';
import { CrashPoint } from '../support/crash.js';
import { leaseDatabase } from '../support/database.js';
import { feedHouse, joined, manyEvents } from './feed-house.js';

const DAY_MS = 86_400_000;

interface Page {
  readonly events: readonly { cursor: string; type: string; data: { members?: string[]; n?: number } }[];
  readonly next: string;
  readonly more: boolean;
}

test('events are told in order, from any cursor that is still good, and a cursor of another history is none', async () => {
  await using lease = await leaseDatabase();
  await using house = await feedHouse(lease);
  const page = async (query: string) => {
    const { status, json } = await house.ask('GET', `/api/v1/events?${query}`);
    return { status, code: json['code'], ...(json as unknown as Page) };
  };
  const who = ({ events }: Page) => events.map(({ data }) => data.members?.[0]);
  expect(await page('')).toMatchObject({ status: 200, events: [], next: `0-${'0'.repeat(16)}`, more: false });
  await house.record(joined('alice@a.test'), joined('bob@b.test'));
  expect((await page('')).events).toEqual([]);
  await house.turn('feed.placing');
  await house.record(joined('carol@c.test', 'other@a.test'));
  await house.turn('feed.placing');
  const all = await page('after=oldest');
  expect(who(all)).toEqual(['alice@a.test', 'bob@b.test', 'carol@c.test']);
  expect(all.events.map(({ cursor }) => parseCursor(cursor).position)).toEqual([1, 2, 3]);
  const first = await page('limit=1');
  expect([who(first), first.more]).toEqual([['alice@a.test'], true]);
  expect(who(await page(`after=${first.next}`))).toEqual(['bob@b.test', 'carol@c.test']);
  expect(who(await page('group=other@a.test&types=members.*,group.left'))).toEqual(['carol@c.test']);
  expect(await page('types=share.*')).toMatchObject({ events: [], next: all.next });
  expect(await page(`after=${all.next}`)).toMatchObject({ events: [], next: all.next });
  expect((await page('after=latest')).next).toBe(all.next);
  expect((await page('types=nonsense')).status).toBe(400);
  expect((await page('after=nonsense')).code).toBe('feed.cursor-malformed');
  expect(await page(`after=2-${'f'.repeat(16)}`)).toMatchObject({ status: 410, code: 'feed.cursor-unknown' });
  expect(await page(`after=4-${'f'.repeat(16)}`)).toMatchObject({ status: 410, code: 'feed.cursor-unknown' });
  // A backup is restored, and other things happen: the same positions, and not the same events.
  await house.query('DELETE FROM feed_event WHERE position > 1');
  await house.query('UPDATE feed_head SET position = 1, mark = $1', [first.next.slice(2)]);
  expect((await page(`after=${all.next}`)).code).toBe('feed.cursor-unknown');
  await house.record(joined('dan@d.test'), joined('erin@e.test'));
  await house.turn('feed.placing');
  expect((await page(`after=${all.next}`)).code).toBe('feed.cursor-unknown');
  expect(who(await page(`after=${first.next}`))).toEqual(['dan@d.test', 'erin@e.test']);
  // Time goes by.
  house.clock.advance(29 * DAY_MS);
  await house.record(joined('frank@f.test'));
  await house.turn('feed.placing', 'feed.pruning');
  expect((await page('')).events).toHaveLength(4);
  house.clock.advance(2 * DAY_MS);
  await house.turn('feed.pruning');
  expect(await page(`after=${first.next}`)).toMatchObject({ status: 410, code: 'feed.cursor-expired' });
  expect(who(await page('after=oldest'))).toEqual(['frank@f.test']);
  house.clock.advance(40 * DAY_MS);
  await house.turn('feed.pruning');
  expect(await page('after=oldest')).toMatchObject({ events: [], more: false });
});

test('ten thousand missed events are read in few statements', async () => {
  await using lease = await leaseDatabase();
  await using house = await feedHouse(lease);
  await house.query(...manyEvents(10_000));
  const point = new CrashPoint();
  point.wrap(house.get(DataSource));
  await house.turn('feed.placing');
  expect(point.statements.length).toBeLessThan(21 * 8);
  point.watch();
  const seen: number[] = [];
  const startedAt = performance.now();
  for (let [after, more] = ['oldest', true]; more;) {
    const { json } = await house.ask('GET', `/api/v1/events?limit=500&after=${after}`);
    const page = json as unknown as Page;
    seen.push(...page.events.map(({ data }) => data.n!));
    ({ next: after, more } = page);
  }
  const ms = Math.round(performance.now() - startedAt);
  console.info(`10,000 missed events: ${ms} ms, ${point.statements.length} statements`);
  expect(seen).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 1));
  expect(point.statements.length).toBeLessThan(21 * 10);
});

const opened = (port: number, headers: Record<string, string> = {}, query = '') =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const all = { authorization: `Bearer ${API_KEY}`, accept: 'text/event-stream', ...headers };
    httpGet({ port, host: '127.0.0.1', path: `/api/v1/events${query}`, headers: all }, resolve).on('error', reject);
  });

/** What comes until `enough` of it has come. */
async function read(response: IncomingMessage, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    text += chunk as string;
    if (enough(text)) return text;
  }
  return text;
}
const members = (text: string) => [...text.matchAll(/"members":\["([^"]+)"\]/g)].map(([, member]) => member);

test('a stream tells what was missed, then what happens, and goes on after the last id; it ends with the server', async () => {
  await using lease = await leaseDatabase();
  const house = await feedHouse(lease);
  await house.app.listen(0, '127.0.0.1');
  const { port } = house.app.getHttpServer().address() as AddressInfo;
  await house.record(joined('alice@a.test'));
  await house.turn('feed.placing');
  const first = await opened(port);
  expect(first.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  expect(members(await read(first, (text) => text.includes('alice')))).toEqual(['alice@a.test']);
  await house.record(joined('bob@b.test'));
  await house.turn('feed.placing');
  const told = await read(first, (text) => text.endsWith('\n\n'));
  expect(members(told)).toEqual(['bob@b.test']);
  // Another process places an event: this one looks once a second.
  await house.query(`INSERT INTO feed_event (type, group_address, data, recorded_at, position, mark)
    VALUES ('members.added', 'lab@a.test', '{"members":["carol@c.test"]}', now(), 3, '${'a'.repeat(16)}')`);
  await house.query(`UPDATE feed_head SET position = 3, mark = '${'a'.repeat(16)}'`);
  await house.turn('feed.streams');
  expect(members(await read(first, (text) => text.includes('carol')))).toEqual(['carol@c.test']);
  house.clock.advance(15_000);
  await house.turn('feed.streams');
  expect(await read(first, () => true)).toBe(`: nothing new\nid: 3-${'a'.repeat(16)}\n\n`);
  first.destroy();
  // A stream that waits learns it when it is looked after.
  while (house.get(StreamsWorker).count > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    await house.turn('feed.streams');
  }
  const [, last = ''] = /id: (\S+)/.exec(told) ?? [];
  const second = await opened(port, { 'last-event-id': last }, '?after=oldest');
  expect(members(await read(second, (text) => text.includes('carol')))).toEqual(['carol@c.test']);
  expect((await opened(port, { 'last-event-id': `9-${'0'.repeat(16)}` })).statusCode).toBe(410);
  expect((await opened(port, { authorization: 'Bearer nobody' })).statusCode).toBe(401);
  const more = await Promise.all(Array.from({ length: 8 }, () => opened(port)));
  expect(more.filter(({ statusCode }) => statusCode === 429)).toHaveLength(1);
  for (const one of more.slice(1)) one.destroy();
  const ended = read(second, () => false);
  await house.app.close();
  expect(members(await ended)).toEqual([]);
});

test('a reader who takes nothing is cut off, and costs no memory until then', async () => {
  await using lease = await leaseDatabase();
  await using house = await feedHouse(lease);
  await house.query(...manyEvents(10_000, 4_000));
  await house.turn('feed.placing');
  await house.app.listen(0, '127.0.0.1');
  const { port } = house.app.getHttpServer().address() as AddressInfo;
  const point = new CrashPoint();
  point.wrap(house.get(DataSource));
  const response = await opened(port);
  response.pause();
  const pages = () => point.statements.filter((sql) => sql.includes('WITH seen')).length;
  const look = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    await house.turn('feed.streams');
  };
  // Until nothing moves any more: what is on its way fills the buffers of the two sockets.
  for (let [before, same] = [-1, 0]; same < 150; same = before === pages() ? same + 1 : 0) {
    before = pages();
    await look();
  }
  expect(pages()).toBeLessThan(30);
  house.clock.advance(9_999);
  await look();
  expect(house.get(StreamsWorker).count).toBe(1);
  for (let times = 0; times < 30 && house.get(StreamsWorker).count > 0; times++, house.clock.advance(1_000))
    await look();
  expect(house.get(StreamsWorker).count).toBe(0);
  const gone = new Promise<unknown>((resolve) => response.once('error', resolve).once('close', resolve));
  response.resume();
  await gone;
  expect(response.complete).toBe(false);
  expect(house.lines.join('')).toContain('feed.stream-cut');
});
