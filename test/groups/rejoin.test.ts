import { describe, expect, test } from 'vitest';
import { judgeRejoin, rejoinDueAt, speaksFor } from '../../src/groups/rejoin.js';
import { host, ocmAddress } from '../../src/kernel/address.js';

const bob = ocmAddress('bob@b.test');
const at = (seconds: number, ms = 0) => new Date(1_800_000_000_000 + seconds * 1000 + ms);
const judge = (created: Date, known: { renewedAt?: Date; latest?: Date }) =>
  judgeRejoin({ userId: bob, created }, known);

describe('a request to replace a leaf', () => {
  test('R-136 admits nobody who has no leaf', () => {
    expect(judge(at(9), {})).toBe('no-member');
    expect(judge(at(9), { latest: at(1) })).toBe('no-member');
  });

  test('R-127 is superseded by a later one only, in the order of the signatures', () => {
    expect(judge(at(9), { renewedAt: at(0), latest: at(8) })).toBe('queue');
    expect(judge(at(8), { renewedAt: at(0), latest: at(8) })).toBe('ignore');
    expect(judge(at(7), { renewedAt: at(0), latest: at(8) })).toBe('ignore');
  });

  test('is about a leaf that is gone when it was signed before that was replaced', () => {
    expect(judge(at(5), { renewedAt: at(6) })).toBe('ignore');
    expect(judge(at(6), { renewedAt: at(6, 900) })).toBe('queue');
  });
});

test('R-135 a server speaks for its own users, all of them', () => {
  expect(speaksFor(host('b.test'), [bob, ocmAddress('bella@b.test')])).toBe(true);
  expect(speaksFor(host('b.test'), [bob, ocmAddress('carol@c.test')])).toBe(false);
  expect(speaksFor(host('test'), [bob])).toBe(false);
});

test('the admin servers do not race, and the one that asks is passed over', () => {
  const [a, b, c] = [host('a.test'), host('b.test'), host('c.test')];
  expect(rejoinDueAt([a, b, c], b, a, at(0))).toEqual(at(0));
  expect(rejoinDueAt([a, b, c], b, c, at(0))).toEqual(at(600));
  expect(rejoinDueAt([a, b, c], a, b, at(0))).toEqual(at(0));
});
