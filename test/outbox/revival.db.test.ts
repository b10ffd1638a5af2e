import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { type Lease, leaseDatabase } from '../support/database.js';
import { answering, notFederating, PostOffice, silent } from './post-office.js';

const B = host('b.test');

let lease: Lease;
let office: PostOffice;
beforeEach(async () => {
  lease = await leaseDatabase();
  office = await PostOffice.open(lease, { COVEY_DELIVERY_TRIES: '5' });
});
afterEach(() => lease.release());

/** Posts two letters in each of these lanes and waits until their heads are dead. */
async function dead(...lanes: string[]): Promise<void> {
  office.peers.on('b.test', silent);
  for (const lane of lanes) await office.postMany('b.test', 2, lane);
  await office.workFor(2);
  office.peers.on('b.test', () => answering(201));
  expect((await office.states()).filter((state) => state === 'dead')).toHaveLength(lanes.length);
}

const firstLetter = async () => (await office.rows('outbox_letter', 'lane, number'))[0]!.id;

describe('a letter that was tried as often as allowed', () => {
  test('is dead for all to see, and its lane stands still', async () => {
    await dead('g1');
    expect(office.peers.received).toHaveLength(5);
    await office.postMany('b.test', 1, 'g1');
    await office.workFor(2);
    expect(office.peers.received).toHaveLength(5);
    expect(await office.states()).toEqual(['dead', 'waiting', 'waiting']);
    const { lanes, trouble } = await office.deliveries.of(B);
    expect(lanes).toMatchObject([{ lane: 'g1', depth: 3, first: { state: 'dead', tries: 5 } }]);
    expect(lanes[0]!.state.stoppedAt).toBeInstanceOf(Date);
    expect(trouble).toMatchObject([{ state: 'dead', reason: 'peer.unreachable' }]);
    expect(office.logged.join()).toContain('letter.dead');
  });

  test('goes out again, and what waits behind it, when somebody says so', async () => {
    await dead('g1');
    await office.db.run(async (tx) =>
      office.outbox.tryAgain(
        tx,
        await tx.query('SELECT id FROM outbox_letter ORDER BY number').then((rows: { id: string }[]) => rows[0]!.id),
      ),
    );
    await office.work();
    expect(await office.states()).toEqual(['delivered', 'delivered']);
  });

  test('has all its tries before it again', async () => {
    await dead('g1');
    office.peers.on('b.test', silent);
    await office.deliveries.tryLetterAgain(await firstLetter());
    await office.workFor(2);
    expect(office.peers.received).toHaveLength(10);
    expect(await office.states()).toEqual(['dead', 'waiting']);
  });

  test('goes out again with its lane, or with its peer', async () => {
    await dead('g1', 'g2', 'g3');
    expect(await office.deliveries.tryAgain(B, 'g2')).toBe(1);
    await office.work();
    expect(await office.states()).toEqual(['dead', 'waiting', 'delivered', 'delivered', 'dead', 'waiting']);
    expect(await office.deliveries.tryAgain(B)).toBe(3);
    await office.work();
    expect(new Set(await office.states())).toEqual(new Set(['delivered']));
  });

  test('goes out again when the peer is heard from', async () => {
    await dead('g1', 'g2');
    office.outbox.heardFrom(B);
    await office.work();
    expect(new Set(await office.states())).toEqual(new Set(['delivered']));
  });

  test('goes out again when the peer takes another letter', async () => {
    await dead('g1', 'g2');
    await office.post({ to: 'b.test', lane: 'g3' });
    await office.workFor(2);
    expect(new Set(await office.states())).toEqual(new Set(['delivered']));
  });

  test('stays dead though the peer is heard from, if it is the letter that the peer cannot take', async () => {
    office.peers.on('b.test', ({ text }) => answering(text.includes('"g1"') ? 500 : 201));
    await office.postMany('b.test', 1, 'g1');
    await office.workFor(2);
    expect(await office.states()).toEqual(['dead']);
    const tries = office.peers.received.length;
    for (let seconds = 0; seconds < 600; seconds += 10) {
      office.outbox.heardFrom(B);
      await office.work();
      office.clock.advanceSeconds(10);
    }
    expect(office.peers.received.length - tries).toBeLessThanOrEqual(1);
    expect(await office.states()).toEqual(['dead']);
  });

  test('what was settled or is unknown cannot be tried again', async () => {
    const id = await office.post({ to: 'b.test' });
    await office.work();
    await expect(office.deliveries.tryLetterAgain(id)).rejects.toThrow('letter.settled');
    await expect(office.deliveries.tryLetterAgain('0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11')).rejects.toThrow('not-found');
    await expect(office.deliveries.tryAgain(B, 'nobody')).rejects.toThrow('not-found');
    await expect(office.deliveries.tryAgain(host('nobody.test'))).rejects.toThrow('not-found');
  });
});

describe('a failing peer that is heard from', () => {
  beforeEach(async () => {
    office = await PostOffice.open(lease);
    office.peers.on('b.test', silent);
    await office.postMany('b.test', 2, 'g1');
    await office.postMany('b.test', 2, 'g2');
    await office.workFor(2);
  });

  test('gets everything at once, and its back-off begins anew', async () => {
    office.outbox.heardFrom(B);
    await office.work();
    expect(await office.healthOf('b.test')).toMatchObject({ state: 'failing', failures: 1 });
    office.peers.on('b.test', () => answering(201));
    office.clock.advanceSeconds(10);
    office.outbox.heardFrom(B);
    await office.work();
    expect(await office.states()).toEqual(Array(4).fill('delivered'));
  });

  test('is not tried more often because it speaks all the time', async () => {
    const before = office.peers.received.length;
    for (let tenths = 0; tenths < 300; tenths++) {
      office.outbox.heardFrom(B);
      await office.work();
      office.clock.advance(100);
    }
    // Three times in half a minute the back-off of 2, 4, 8 seconds begins anew.
    expect(office.peers.received.length - before).toBeLessThanOrEqual(9);
  });

  test('lanes that waited for a while of their own go too', async () => {
    office.peers.on('b.test', () => answering(503));
    await office.workFor(2);
    office.peers.on('b.test', () => answering(201));
    office.outbox.heardFrom(B);
    await office.work();
    expect(await office.states()).toEqual(Array(4).fill('delivered'));
  });
});

test('after an outage the first letter that is taken lets all lanes go, whatever they had learnt meanwhile', async () => {
  office = await PostOffice.open(lease);
  office.peers.on('b.test', () => answering(503));
  for (const lane of ['g1', 'g2', 'g3']) await office.postMany('b.test', 2, lane);
  await office.workFor(24);
  office.peers.on('b.test', () => answering(201));
  for (let minutes = 0; !(await office.states()).includes('delivered'); minutes++) {
    expect(minutes).toBeLessThan(80);
    office.clock.advanceSeconds(60);
    await office.work();
  }
  expect(await office.states()).toEqual(Array(6).fill('delivered'));
});

test('hearing from a peer that was never written to, or that is well, does nothing', async () => {
  await office.post({ to: 'b.test' });
  await office.work();
  office.outbox.heardFrom(host('c.test'));
  office.outbox.heardFrom(B);
  await office.work();
  expect(await office.rows('outbox_peer', 'host')).toMatchObject([{ host: 'b.test', state: 'healthy' }]);
});

test('a peer that is set aside is looked at again soon after it was heard from, and at once when somebody says so', async () => {
  office.peers.document('b.test', notFederating);
  await office.post({ to: 'b.test' });
  await office.work();
  expect(office.peers.lookups).toBe(1);
  office.outbox.heardFrom(B);
  await office.work();
  expect(office.peers.lookups).toBe(1);
  office.clock.advanceSeconds(600);
  await office.work();
  expect(office.peers.lookups).toBe(2);
  await office.deliveries.tryAgain(B);
  await office.work();
  expect(office.peers.lookups).toBe(3);
  expect(await office.healthOf('b.test')).toMatchObject({ state: 'unsupported' });
});
