import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../src/kernel/network.js';
import { type Lease, leaseDatabase } from '../support/database.js';
import { TestDice } from '../support/dice.js';
import { answering, pause, PostOffice, type Received, silent } from './post-office.js';

let lease: Lease;
let office: PostOffice;
beforeEach(async () => {
  lease = await leaseDatabase();
  office = await PostOffice.open(lease);
});
afterEach(() => lease.release());

interface Body {
  readonly lane: string;
  readonly number: number;
}
const bodyOf = ({ text }: Received) => JSON.parse(text) as Body;
const elsewhere = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The numbers of letters as they were taken for the first time, lane by lane. */
function takenInLanes(taken: readonly Received[]): Map<string, number[]> {
  const lanes = new Map<string, number[]>();
  for (const one of taken) {
    const { lane, number } = bodyOf(one);
    const numbers = lanes.get(`${one.peer} ${lane}`) ?? [];
    if (!numbers.includes(number)) lanes.set(`${one.peer} ${lane}`, [...numbers, number]);
  }
  return lanes;
}

describe('many couriers at once, as of several processes', () => {
  test('break no order and lose no letter, though peers fail, forget to answer and refuse', async () => {
    const dice = new TestDice('weather');
    const taken: Received[] = [];
    const peers = ['b.test', 'c.test'];
    for (const peer of peers) {
      office.peers.on(peer, async (received) => {
        const [weather] = dice.bytes(1);
        await elsewhere();
        if (weather! < 20) return silent(received);
        if (weather! < 30) return answering(503);
        taken.push(received);
        if (weather! < 50) return silent(received); // taken, but the answer is lost
        return weather! < 60 ? answering(409, { message: 'LATE' }) : answering(201);
      });
      for (let lane = 1; lane <= 3; lane++) await office.postMany(peer, 25, `g${lane}`);
    }
    const couriers = Array.from({ length: 4 }, () => office.hire());
    for (let rounds = 0; (await office.states()).includes('waiting') && rounds < 500; rounds++) {
      await office.work(...couriers);
      office.clock.advanceHours(1);
    }
    const states = await office.states();
    expect(states).toHaveLength(150);
    expect(new Set(states)).toEqual(new Set(['delivered', 'refused']));
    const lanes = takenInLanes(taken);
    expect(lanes.size).toBe(6);
    for (const [lane, numbers] of lanes)
      expect([lane, numbers]).toEqual([lane, Array.from({ length: 25 }, (_, i) => i + 1)]);
  });

  test('never have the same lane at the same time, and at most their share of lanes of one peer', async () => {
    const lanes: string[] = [];
    let goOn = pause<HttpAnswer>();
    office.peers.on('b.test', (received) => {
      lanes.push(bodyOf(received).lane);
      return goOn.promise;
    });
    for (let lane = 1; lane <= 6; lane++) await office.postMany('b.test', 1, `g${lane}`);
    const couriers = Array.from({ length: 6 }, () => office.hire());
    for (const taken of [2, 4, 6]) {
      let idle = 0;
      const turns = couriers.map((courier) => courier.turn().then((busy) => busy || void idle++));
      await expect.poll(() => [idle, lanes.length]).toEqual([4, taken]);
      goOn.end(answering(201));
      await Promise.all(turns);
      goOn = pause();
    }
    expect(lanes.sort()).toEqual(['g1', 'g2', 'g3', 'g4', 'g5', 'g6']);
  });

  test('send one probe only to a peer that fails, whatever waits for it', async () => {
    office.peers.on('b.test', silent);
    for (let lane = 1; lane <= 6; lane++) await office.postMany('b.test', 2, `g${lane}`);
    const couriers = Array.from({ length: 6 }, () => office.hire());
    await office.work(...couriers);
    const before = office.peers.received.length;
    const probe = pause<HttpAnswer>();
    office.peers.on('b.test', () => probe.promise);
    office.clock.advanceHours(1);
    let idle = 0;
    const turns = couriers.map((courier) => courier.turn().then((busy) => busy || void idle++));
    await expect.poll(() => idle).toBe(5);
    expect(office.peers.received.length - before).toBe(1);
    probe.end(answering(201));
    await Promise.all(turns);
  });
});

describe('a slow peer', () => {
  test('delays no other, even when all its lanes are full', async () => {
    const slow = pause<HttpAnswer>();
    office.peers.on('b.test', () => slow.promise);
    for (let lane = 1; lane <= 10; lane++) await office.postMany('b.test', 30, `g${lane}`);
    await office.postMany('c.test', 60);
    let over = false;
    const loops = Array.from({ length: 4 }, async () => {
      const courier = office.hire();
      while (!over) if (!(await courier.turn())) await elsewhere();
    });
    await expect
      .poll(() => [office.peers.bodies('b.test').length, office.peers.bodies('c.test').length])
      .toEqual([2, 60]);
    over = true;
    slow.end(answering(201));
    await Promise.all(loops);
    await office.work();
    expect(new Set(await office.states())).toEqual(new Set(['delivered']));
  });

  test('gives its courier back after ten seconds, between two letters', async () => {
    office.peers.on('b.test', () => {
      office.clock.advanceSeconds(6);
      return answering(201);
    });
    await office.postMany('b.test', 5);
    await office.courier.turn();
    expect(office.peers.received).toHaveLength(2);
    await office.work();
    expect(office.peers.received).toHaveLength(5);
  });
});

describe('a courier that dies', () => {
  test('between sending and storing: the same bytes are sent again, by another, after the lease', async () => {
    office.peers.on('b.test', () => pause<HttpAnswer>().promise); // taken; then the process is killed
    await office.post({ to: 'b.test', body: { sharedSecret: 's3cret', at: 1 } });
    await office.post({ to: 'b.test', body: { at: 2 } });
    void office.hire().turn();
    await expect.poll(() => office.peers.received.length).toBe(1);
    office.peers.on('b.test', () => answering(201));
    await office.work();
    expect(office.peers.received).toHaveLength(1);
    office.clock.advanceSeconds(80);
    await office.work();
    const texts = office.peers.received.map(({ text }) => text);
    expect(texts).toEqual(['{"sharedSecret":"s3cret","at":1}', '{"sharedSecret":"s3cret","at":1}', '{"at":2}']);
    expect(await office.states()).toEqual(['delivered', 'delivered']);
  });

  test('and returns: what it brings after another took the lane is not stored', async () => {
    const slow = pause<HttpAnswer>();
    office.peers.on('b.test', () => slow.promise);
    await office.postMany('b.test', 3);
    const late = office.hire().turn();
    await expect.poll(() => office.peers.received.length).toBe(1);
    office.clock.advanceSeconds(80);
    office.peers.on('b.test', ({ text }) => (text.includes(':1}') ? answering(201) : answering(503)));
    await office.work();
    const before = await office.rows('outbox_letter', 'number');
    slow.end(answering(400));
    await late;
    expect(await office.rows('outbox_letter', 'number')).toEqual(before);
    expect(before.map(({ state }) => state)).toEqual(['delivered', 'waiting', 'waiting']);
    expect(office.peers.received).toHaveLength(3);
    expect(office.logged.join()).toContain('lane.lost');
  });

  test('its lanes are free at once when the database has but one process', async () => {
    office.peers.on('b.test', () => pause<HttpAnswer>().promise);
    await office.post({ to: 'b.test' });
    void office.hire().turn();
    await expect.poll(() => office.peers.received.length).toBe(1);
    office.peers.on('b.test', () => answering(201));
    await office.delivery.forgetClaims();
    await office.work();
    expect(await office.states()).toEqual(['delivered']);
  });
});

test('a lease is renewed before a letter that might outlast it', async () => {
  office = await PostOffice.open(lease, { COVEY_PEER_TIMEOUT: '3' });
  let leased: Date | null | undefined;
  office.peers.on('b.test', async ({ text }) => {
    if (text.includes(':4}'))
      [{ leased_until: leased }] = (await office.rows('outbox_lane', 'name')) as [{ leased_until: Date }];
    office.clock.advanceSeconds(2);
    return answering(201);
  });
  const start = office.clock.now();
  await office.postMany('b.test', 4);
  await office.work();
  expect(leased!.getTime() - start.getTime()).toBeGreaterThan(12_000);
});
