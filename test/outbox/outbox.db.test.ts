import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { LONGEST_ANSWER } from '../../src/outbox/answer.js';
import { type Lease, leaseDatabase } from '../support/database.js';
import { answering, pause, PostOffice, silent } from './post-office.js';

let lease: Lease;
let office: PostOffice;
beforeEach(async () => {
  lease = await leaseDatabase();
  office = await PostOffice.open(lease, { COVEY_DELIVERY_TRIES: '3' });
});
afterEach(() => lease.release());

describe('an answer that somebody wants', () => {
  const asking = (to: string, subject: string) => office.post({ to, lane: subject, subject, answerTo: 'groups' });

  test('is kept until it is taken, once, the first to end first', async () => {
    office.peers.on('b.test', () => answering(201, { recipientDisplayName: 'Bob' }));
    office.peers.on('c.test', () => answering(409, { message: 'X', code: 'commit.stale', epoch: 3 }));
    const [letterId] = [await asking('b.test', 'one')];
    await office.work();
    office.clock.advanceSeconds(1);
    await asking('c.test', 'two');
    await office.work();
    expect(await office.answer('shares')).toBeUndefined();
    expect(await office.answer('groups')).toEqual({
      letterId,
      subject: 'one',
      to: 'b.test',
      outcome: 'delivered',
      status: 201,
      body: { recipientDisplayName: 'Bob' },
    });
    expect(await office.answer('groups')).toMatchObject({
      subject: 'two',
      outcome: 'refused',
      status: 409,
      body: { epoch: 3 },
    });
    expect(await office.answer('groups')).toBeUndefined();
  });

  test('wakes who takes it, with the transaction that stores it', async () => {
    const woken: string[] = [];
    office.poller.wake = (name) => void woken.push(name);
    await asking('b.test', 'one');
    expect(woken).toEqual(['outbox.courier']);
    await office.work();
    expect(woken).toEqual(['outbox.courier', 'groups']);
  });

  test('is taken with the transaction of the taker or not at all', async () => {
    await asking('b.test', 'one');
    await office.work();
    const failing = office.db.run(async (tx) => {
      expect(await office.outbox.takeAnswer(tx, 'groups')).toMatchObject({ subject: 'one' });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await office.answer('groups')).toMatchObject({ subject: 'one' });
  });

  test('may be that there was none; and comes anew when the dead letter is delivered after all', async () => {
    office.peers.on('b.test', silent);
    await asking('b.test', 'one');
    await office.workFor(1);
    expect(await office.answer('groups')).toEqual({
      letterId: expect.any(String),
      subject: 'one',
      to: 'b.test',
      outcome: 'dead',
    });
    office.peers.on('b.test', () => answering(201));
    await office.deliveries.tryAgain(host('b.test'));
    expect(await office.answer('groups')).toBeUndefined();
    await office.work();
    expect(await office.answer('groups')).toMatchObject({ subject: 'one', outcome: 'delivered', status: 201 });
  });

  test('is bounded, and sealed where it is stored', async () => {
    office.peers.on('b.test', () => ({ status: 400, headers: {}, body: new Uint8Array(100_000).fill(0x41) }));
    await asking('b.test', 'one');
    await office.work();
    const [{ answer }] = (await office.rows('outbox_letter', 'id')) as [{ answer: Uint8Array }];
    expect(Buffer.from(answer).includes('AAAAAAAA')).toBe(false);
    expect((await office.answer('groups'))!.body).toBe('A'.repeat(LONGEST_ANSWER));
  });
});

test('bodies are sealed, each for its own letter, and gone once delivered or refused', async () => {
  office.peers.on('b.test', ({ text }) => answering(text.includes('no') ? 400 : 201));
  office.peers.on('c.test', silent);
  await office.post({ to: 'b.test', body: { sharedSecret: 's3cret' } });
  await office.post({ to: 'b.test', body: { no: 's3cret' } });
  const id = await office.post({ to: 'c.test', body: { sharedSecret: 's3cret' } });
  const bodies = async () => (await office.rows('outbox_letter', 'peer, number')).map(({ body }) => body);
  const sealed = (await bodies()) as Uint8Array[];
  for (const body of sealed) expect(Buffer.from(body).includes('s3cret')).toBe(false);
  await office.work();
  expect(await bodies()).toEqual([null, null, sealed[2]]);
  expect(() => office.vault.open(sealed[0]!, `outbox_letter.body:${id}`)).toThrow('vault.sealed-otherwise');
  const [first] = await office.rows('outbox_letter', 'peer, number');
  expect(first).toMatchObject({ size: 25, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test('letters are numbered in the order in which their transactions end, not begin', async () => {
  if (lease.poolSize === 1) return; // there transactions follow each other anyway
  const letter = (n: number) => ({
    to: host('b.test'),
    lane: 'g',
    endpoint: 'shares' as const,
    kind: 'k',
    subject: '',
    body: { n },
  });
  const [began, goOn] = [pause<void>(), pause<void>()];
  const first = office.db.run(async (tx) => {
    await office.outbox.post(tx, letter(1));
    began.end();
    await goOn.promise;
    await office.outbox.post(tx, letter(2));
  });
  await began.promise;
  const second = office.db.run((tx) => office.outbox.post(tx, letter(3)));
  await expect.poll(() => office.waiting()).toBe(1);
  goOn.end();
  await Promise.all([first, second]);
  await office.work();
  expect(office.peers.bodies('b.test')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

describe('what is over', () => {
  test('is forgotten after some days, with lanes that nobody uses; what waits or is dead never is', async () => {
    office.peers.on('c.test', silent);
    office.peers.on('d.test', () => answering(400));
    for (const to of ['b.test', 'c.test', 'd.test']) await office.post({ to });
    await office.post({ to: 'b.test', lane: 'asked', answerTo: 'groups' });
    await office.workFor(1);
    const peers = async () => (await office.rows('outbox_letter', 'peer, lane')).map(({ peer }) => peer);
    const pruned = async (days: number) => {
      office.clock.advanceDays(days);
      while (await office.prune.turn());
      return peers();
    };
    expect(await pruned(2)).toEqual(['b.test', 'b.test', 'c.test', 'd.test']);
    expect(await pruned(1)).toEqual(['b.test', 'c.test', 'd.test']);
    expect(await pruned(28)).toEqual(['c.test']);
    expect(await office.rows('outbox_lane', 'peer')).toMatchObject([{ peer: 'c.test' }]);
    expect(await office.states()).toEqual(['dead']);
    await office.post({ to: 'b.test' });
    await office.work();
    expect(await office.states()).toEqual(['delivered', 'dead']);
  });
});

test('metrics tell how much waits for whom, how long, and what became of letters', async () => {
  office.metrics.beforeReading(() => office.deliveries.measure());
  office.peers.on('b.test', silent);
  office.peers.on('c.test', () => answering(400));
  await office.postMany('b.test', 3);
  await office.post({ to: 'c.test' });
  await office.post({ to: 'd.test' });
  await office.workFor(1);
  const text = await office.metrics.text();
  expect(text).toContain('covey_outbox_letters{peer="b.test"} 3');
  expect(text).toContain('covey_outbox_oldest_seconds{peer="b.test"} 3600');
  expect(text).not.toContain('covey_outbox_letters{peer="c.test"}');
  expect(text).toContain('covey_letters_total{outcome="refused"} 1');
  expect(text).toContain('covey_letters_total{outcome="delivered"} 1');
  expect(text).toContain('covey_letters_total{outcome="again"} 2');
  expect(text).toContain('covey_letters_total{outcome="dead"} 1');
});

describe('a letter that is withdrawn', () => {
  const withdraw = (lane: string, subject: string) =>
    office.db.run((tx) => office.outbox.withdraw(tx, { lane, kind: 'MLS_COMMIT', subject }));
  const post = (to: string, subject: string, lane = 'group') => office.post({ to, lane, kind: 'MLS_COMMIT', subject });
  const subjects = async () => (await office.rows('outbox_letter', 'peer, lane, number')).map(({ subject }) => subject);

  test('is not sent, to whomever it was posted; what is about something else is', async () => {
    office.peers.on('c.test', silent);
    for (const to of ['b.test', 'c.test']) await post(to, 'lost');
    await post('b.test', 'kept');
    await post('b.test', 'lost', 'another group');
    await withdraw('group', 'lost');
    await office.work();
    expect(await subjects()).toEqual(['lost', 'kept']);
    expect(office.peers.received.map(({ peer }) => peer)).toEqual(['b.test', 'b.test']);
  });

  test('is taken back from one peer, and from no other', async () => {
    for (const to of ['b.test', 'c.test']) await post(to, 'lost');
    const which = { to: host('c.test'), lane: 'group', kind: 'MLS_COMMIT', subject: 'lost' };
    await office.db.run((tx) => office.outbox.withdraw(tx, which));
    await office.work();
    expect(office.peers.received.map(({ peer }) => peer)).toEqual(['b.test']);
  });

  test('was delivered and stays so', async () => {
    await post('b.test', 'lost');
    await office.work();
    await withdraw('group', 'lost');
    expect(await office.states()).toEqual(['delivered']);
  });

  test('stops its lane no longer when it was dead', async () => {
    office.peers.on('b.test', silent);
    await post('b.test', 'lost');
    await post('b.test', 'kept');
    await office.workFor(2);
    expect(await office.states()).toEqual(['dead', 'waiting']);
    office.peers.on('b.test', () => answering(201));
    await withdraw('group', 'lost');
    await office.workFor(2);
    expect(await office.states()).toEqual(['delivered']);
  });
});
