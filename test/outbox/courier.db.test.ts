import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { type Lease, leaseDatabase } from '../support/database.js';
import { answering, notFederating, PostOffice, silent } from './post-office.js';

let lease: Lease;
let office: PostOffice;
beforeEach(async () => {
  lease = await leaseDatabase();
  office = await PostOffice.open(lease);
});
afterEach(() => lease.release());

const numbers = (peer: string) => office.peers.bodies(peer).map((body) => (body as { number: number }).number);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('what is posted', () => {
  test('arrives at the endpoint it is for, as the JSON that was given', async () => {
    await office.post({ to: 'b.test', body: { notificationType: 'MLS_COMMIT' } });
    await office.post({ to: 'c.test', endpoint: 'shares', body: { providerId: 'ü' } });
    await office.work();
    expect(office.peers.received.map(({ peer, path, text }) => [peer, path, text])).toEqual([
      ['b.test', '/notifications', '{"notificationType":"MLS_COMMIT"}'],
      ['c.test', '/shares', '{"providerId":"ü"}'],
    ]);
    expect(await office.states()).toEqual(['delivered', 'delivered']);
    expect(await office.courier.turn()).toBe(false);
  });

  test('leaves with its transaction or not at all', async () => {
    const failing = office.db.run(async (tx) => {
      await office.outbox.post(tx, {
        to: host('b.test'),
        lane: 'g',
        endpoint: 'shares',
        kind: 'k',
        subject: '',
        body: {},
      });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await office.work();
    expect(office.peers.received).toEqual([]);
    expect(await office.rows('outbox_lane', 'peer')).toEqual([]);
  });

  test('arrives in the order of the lane, over many batches', async () => {
    await office.postMany('b.test', 45);
    await office.work();
    expect(numbers('b.test')).toEqual(upTo(45));
  });

  test('does not wait for other lanes of the same peer, nor for other peers', async () => {
    office.peers.on('b.test', ({ text }) =>
      answering(text.includes('"g1"') ? 503 : 201, { message: 'X', code: 'group.unknown' }),
    );
    await office.postMany('b.test', 2, 'g1');
    await office.postMany('b.test', 2, 'g2');
    await office.postMany('c.test', 2, 'g1');
    await office.work();
    expect(await office.states()).toEqual(['waiting', 'waiting', 'delivered', 'delivered', 'delivered', 'delivered']);
    expect(await office.healthOf('b.test')).toMatchObject({ state: 'healthy' });
  });
});

describe('a peer that does not take it', () => {
  test('keeps the order: nothing behind a letter is sent before it', async () => {
    let broken = 0;
    office.peers.on('b.test', ({ text }) => {
      if (text.includes('"number":3') && broken++ < 4) return silent({} as never);
      if (text.includes('"number":5') && broken++ < 9) return answering(500);
      return answering(201);
    });
    await office.postMany('b.test', 7);
    await office.workFor(2);
    expect(numbers('b.test')).toEqual([1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 5, 6, 7]);
    expect(await office.states()).toEqual(Array(7).fill('delivered'));
  });

  test('is tried again later and later, one letter at a time, and gets the same bytes each time', async () => {
    office.peers.on('b.test', silent);
    await office.post({ to: 'b.test', lane: 'g1', body: { sharedSecret: 's3cret' } });
    await office.post({ to: 'b.test', lane: 'g2' });
    await office.post({ to: 'b.test', lane: 'g3' });
    const start = office.clock.now().getTime();
    for (let second = 0; second < 300; second++) {
      await office.work();
      office.clock.advance(1_000);
    }
    const seconds = office.peers.received.map(({ at }) => (at.getTime() - start) / 1000);
    const gaps = seconds.slice(1).map((second, i) => second - seconds[i]!);
    expect(gaps.length).toBeGreaterThan(4);
    for (const [i, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(2 ** (i + 1) * 0.75);
      expect(gap).toBeLessThanOrEqual(2 ** (i + 1) * 1.25 + 1);
    }
    // All lanes share the probes.
    expect(new Set(office.peers.received.map(({ text }) => text)).size).toBe(2);
    expect(await office.healthOf('b.test')).toMatchObject({ state: 'failing', failures: seconds.length });
  });

  test('refuses for good: that letter ends there, visibly, and the lane goes on', async () => {
    const said = { message: 'COMMIT_STALE', code: 'commit.stale', epoch: 7 };
    office.peers.on('b.test', ({ text }) => (text.includes('"number":2') ? answering(409, said) : answering(201)));
    await office.postMany('b.test', 3);
    await office.work();
    expect(numbers('b.test')).toEqual([1, 2, 3]);
    expect(await office.states()).toEqual(['delivered', 'refused', 'delivered']);
    const { trouble } = await office.deliveries.of(host('b.test'));
    expect(trouble).toMatchObject([{ state: 'refused', status: 409, reason: 'http 409 commit.stale', answer: said }]);
  });

  test('asks for patience and is not asked before', async () => {
    let asked = 0;
    office.peers.on('b.test', () =>
      asked++ === 0 ? answering(429, undefined, { 'retry-after': '120' }) : answering(201),
    );
    await office.post({ to: 'b.test' });
    await office.work();
    office.clock.advanceSeconds(119);
    await office.work();
    expect(asked).toBe(1);
    office.clock.advanceSeconds(1);
    await office.work();
    expect(await office.states()).toEqual(['delivered']);
  });

  test('fails at discovery: it is tried later, and nothing is posted meanwhile', async () => {
    office.peers.document('b.test', 'silent');
    await office.post({ to: 'b.test' });
    await office.work();
    expect(office.peers.received).toEqual([]);
    expect(await office.healthOf('b.test')).toMatchObject({ state: 'failing', reason: 'peer.discovery-failed' });
    expect(await office.rows('outbox_letter', 'id')).toMatchObject([{ state: 'waiting', tries: 1 }]);
  });
});

test('a peer that is down for a day gets everything afterwards, in order', async () => {
  await office.postMany('b.test', 5, 'g0');
  await office.work();
  office.peers.on('b.test', silent);
  for (let hour = 0; hour < 24; hour++) {
    for (const lane of ['g0', `g${1 + (hour % 3)}`]) {
      await office.post({ to: 'b.test', lane, body: { lane, number: 6 + hour } });
    }
    await office.workFor(1);
  }
  const tries = office.peers.received.length;
  expect(tries).toBeLessThan(60);
  office.peers.on('b.test', () => answering(201));
  await office.workFor(2);
  const arrived = office.peers.bodies('b.test').slice(tries) as { lane: string; number: number }[];
  const inLane = (lane: string) => arrived.filter((one) => one.lane === lane).map(({ number }) => number);
  expect(inLane('g0')).toEqual(upTo(29).slice(5));
  for (const lane of [1, 2, 3])
    expect(inLane(`g${lane}`)).toEqual([0, 3, 6, 9, 12, 15, 18, 21].map((n) => n + lane + 5));
  expect(new Set(await office.states())).toEqual(new Set(['delivered']));
});

describe('a peer that does not take part in federation', () => {
  test('is set aside, visibly, and nothing is posted to it however long one waits', async () => {
    office.peers.document('b.test', notFederating);
    await office.postMany('b.test', 2);
    await office.workFor(48, 60);
    expect(office.peers.received).toEqual([]);
    expect(office.peers.lookups).toBeLessThan(12);
    expect(await office.states()).toEqual(['waiting', 'waiting']);
    expect(await office.healthOf('b.test')).toMatchObject({
      state: 'unsupported',
      reason: 'discovery does not list federation',
    });
  });

  test('gets what waited once its discovery document lists federation', async () => {
    office.peers.document('b.test', notFederating);
    await office.postMany('b.test', 3);
    await office.workFor(12, 60);
    office.peers.document('b.test', {
      ...notFederating,
      resourceTypes: [{ name: 'file', shareTypes: ['federation'], protocols: {} }],
    });
    await office.workFor(7, 60);
    expect(numbers('b.test')).toEqual([1, 2, 3]);
    expect(await office.healthOf('b.test')).toMatchObject({ state: 'healthy' });
  });

  test('is set aside by a 501 too, until its document changes, though that listed federation all the time', async () => {
    office.peers.on('b.test', () => answering(501));
    await office.postMany('b.test', 2);
    await office.workFor(24, 60);
    expect(numbers('b.test')).toEqual([1]);
    expect(await office.healthOf('b.test')).toMatchObject({ state: 'unsupported', reason: 'http 501' });
    office.peers.on('b.test', () => answering(201));
    office.peers.document('b.test', {
      ...notFederating,
      apiVersion: '1.6',
      resourceTypes: [{ name: 'file', shareTypes: ['federation'], protocols: {} }],
    });
    await office.workFor(7, 60);
    expect(numbers('b.test')).toEqual([1, 1, 2]);
  });

  test('stays aside while its discovery cannot be read', async () => {
    office.peers.document('b.test', notFederating);
    await office.post({ to: 'b.test' });
    await office.work();
    office.peers.document('b.test', 'silent');
    await office.workFor(24, 60);
    expect(await office.healthOf('b.test')).toMatchObject({
      state: 'unsupported',
      reason: 'discovery does not list federation',
    });
    expect(await office.rows('outbox_letter', 'id')).toMatchObject([{ state: 'waiting', tries: 0 }]);
  });
});

test('a letter that we ourselves cannot send holds up its lane and nobody else', async () => {
  const id = await office.post({ to: 'b.test', lane: 'g1' });
  await office.post({ to: 'b.test', lane: 'g2' });
  await office.db.statement((tx) => tx.query(`UPDATE outbox_letter SET body = 'broken' WHERE id = $1`, [id]));
  await office.work();
  expect(await office.rows('outbox_letter', 'lane')).toMatchObject([
    { state: 'waiting', tries: 1, reason: 'vault.sealed-otherwise' },
    { state: 'delivered' },
  ]);
  expect(await office.healthOf('b.test')).toMatchObject({ state: 'healthy' });
});

test('the log names peer, lane, kind and letter, and never a body', async () => {
  const id = await office.post({ to: 'b.test', lane: 'g1', kind: 'SHARE', body: { sharedSecret: 's3cret' } });
  office.peers.on('b.test', ({ text }) => answering(400, { message: `I got ${text}` }));
  await office.work();
  const lines = office.logged.map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { event: 'letter.refused', peer: 'b.test', lane: 'g1', kind: 'SHARE', letter: id, status: 400 },
  ]);
  expect(office.logged.join()).not.toContain('s3cret');
});
