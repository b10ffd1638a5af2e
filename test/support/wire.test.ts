import { beforeEach, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import type { HttpRequest, Network } from '../../src/kernel/network.js';
import { TestClock } from './clock.js';
import type { Link } from './link.js';
import { Wire } from './wire.js';

const [A, B] = [host('a.test'), host('b.test')];
let clock: TestClock;
let wire: Wire;
let link: Link;
let network: Network;
let arrived: string[];

const request = (body: string, url = 'https://b.test/ocm/notifications'): HttpRequest => {
  return { method: 'POST', url, headers: {}, body: Buffer.from(body), timeoutMs: 1000, maxBytes: 100 };
};
/** What the sender sees: a body, or the code of a fault. */
const send = async (body: string, url?: string): Promise<string> => {
  try {
    return Buffer.from((await network.fetch(request(body, url))).body).toString();
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const typed = (notificationType: string) => JSON.stringify({ notificationType });

beforeEach(() => {
  clock = new TestClock();
  wire = new Wire(clock);
  arrived = [];
  wire.attach(B, ({ body }) => {
    arrived.push(Buffer.from(body!).toString());
    return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(`answer ${arrived.length}`) });
  });
  link = wire.between(A, B);
  network = wire.networkOf(A, () => true);
});

test('an unbroken wire carries requests and answers', async () => {
  expect([await send('x'), await send('y'), arrived]).toEqual(['answer 1', 'answer 2', ['x', 'y']]);
});

test('a cut wire carries nothing until it is mended', async () => {
  link.cut();
  expect(await send('x')).toBe('peer.unreachable');
  link.mend();
  expect([await send('y'), arrived]).toEqual(['answer 1', ['y']]);
});

test('a lost request does not arrive, a lost answer was given', async () => {
  link.loseNextRequest().loseNextResponse();
  expect([await send('x'), await send('y'), await send('z')]).toEqual(['peer.timeout', 'peer.timeout', 'answer 2']);
  expect(arrived).toEqual(['y', 'z']);
});

test('an accident can be for one kind of message only', async () => {
  link.loseNextRequest('MLS_COMMIT');
  expect([await send(typed('MLS_WELCOME')), await send(typed('MLS_COMMIT'))]).toEqual(['answer 1', 'peer.timeout']);
});

test('a duplicate arrives twice, a reordered request after the one behind it, a delayed one in its time', async () => {
  link.duplicateNext();
  expect(await send('x')).toBe('answer 1');
  link.reorderNext();
  expect([await send('y'), await send('z')]).toEqual(['peer.timeout', 'answer 3']);
  expect(arrived).toEqual(['x', 'x', 'z', 'y']);
  link.delayNext(5000);
  expect([await send('late'), await wire.deliverLate()]).toEqual(['peer.timeout', false]);
  clock.advance(wire.nextDue()!);
  expect([await wire.deliverLate(), arrived.at(-1)]).toEqual([true, 'late']);
});

test('on a slow wire the sender stops waiting, and what it sent is handled', async () => {
  link.slow(1000);
  expect([await send('x'), arrived]).toEqual(['peer.timeout', ['x']]);
});

test('the policy on addresses is kept', async () => {
  wire.attach(host('inside.test'), () => Promise.reject(new Error('reached')), '10.0.0.1');
  expect(await send('x', 'https://inside.test/')).toBe('peer.address-refused');
  expect(await send('x', 'https://127.0.0.1/')).toBe('peer.address-refused');
  expect(await send('x', 'https://2130706433/')).toBe('peer.address-refused');
  expect(await send('x', 'https://[::ffff:127.0.0.1]/')).toBe('peer.address-refused');
  expect(await send('x', 'http://b.test/')).toBe('peer.unreachable');
  expect(await send('x', 'https://nobody.test/')).toBe('peer.unreachable');
});

test('a server that dies over a request, or before it, is unreachable; everything is remembered', async () => {
  wire.attach(B, () => Promise.resolve(undefined));
  expect(await send(typed('MLS_COMMIT'))).toBe('peer.unreachable');
  wire.detach(B);
  expect(await send('x')).toBe('peer.unreachable');
  expect(wire.sent({ from: A, to: B }).map(({ what, deliveries }) => [what, deliveries])).toEqual([
    ['MLS_COMMIT', 1],
    ['/ocm/notifications', 0],
  ]);
});
