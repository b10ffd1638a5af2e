import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import {
  accept,
  announce,
  decline,
  due,
  endAt,
  isTold,
  isUntold,
  postpone,
  setAside,
  undelivered,
} from '../../src/shares/share-server.js';

const AT = new Date('2027-01-04T09:00:00Z');
const later = (ms: number) => new Date(AT.getTime() + ms);
const row = due('s', host('b.test'), AT);

test('a server that cannot be asked is asked again, ever less often, and at least every hour', () => {
  const waits: number[] = [];
  let waiting = postpone(row, 'peer.timeout', AT);
  for (let tries = 0; tries < 40; tries++) {
    waits.push(waiting.nextTryAt.getTime() - AT.getTime());
    waiting = postpone(waiting, 'peer.timeout', AT);
  }
  expect(waits.slice(0, 4)).toEqual([30_000, 60_000, 120_000, 240_000]);
  expect(Math.max(...waits)).toBe(3_600_000);
  expect(waiting).toMatchObject({ state: 'due', why: 'peer.timeout' });
});

test('a server that cannot use the share is looked at again after an hour, and says since when', () => {
  const aside = setAside(row, 'federation', AT);
  expect(aside).toMatchObject({ state: 'unsupported', why: 'federation', since: AT, nextTryAt: later(3_600_000) });
  expect(setAside(aside, 'uri-form', later(1))).toMatchObject({ why: 'uri-form', since: AT });
});

test('what was announced is accepted once, or declined, and keeps its providerId', () => {
  const announced = announce(row, 'p', AT);
  expect(announced).toEqual({ shareId: 's', server: 'b.test', since: AT, state: 'announced', providerId: 'p' });
  const accepted = accept(announced, later(5));
  expect(accept(accepted, later(9))).toBe(accepted);
  expect(decline(accepted, 'declined', later(9))).toMatchObject({
    state: 'declined',
    providerId: 'p',
    since: later(9),
  });
  expect(undelivered(announced, 'not delivered')).toMatchObject({ state: 'announced', why: 'not delivered' });
  expect(endAt(accepted, later(9))).toMatchObject({ state: 'ended', providerId: 'p' });
  expect(endAt(row, later(9))).toEqual({ shareId: 's', server: 'b.test', since: later(9), state: 'ended' });
});

test('who holds a secret is told, who waits for a notice is not', () => {
  const announced = announce(row, 'p', AT);
  const rows = [row, setAside(row, 'w', AT), announced, accept(announced, AT), decline(announced, 'n', AT)];
  expect(rows.map(isUntold)).toEqual([true, true, false, false, false]);
  expect(rows.map(isTold)).toEqual([false, false, true, true, false]);
});
