import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { epoch } from '../../src/kernel/ids.js';
import { type MessageOrder, supersedes } from '../../src/shares/message-order.js';

const [alice, anna] = [ocmAddress('alice@a.test'), ocmAddress('anna@a.test')];
const said = (instance: number, history: number, at: number, generation: number, speaker = alice): MessageOrder => ({
  instance,
  history,
  epoch: epoch(at),
  generation,
  speaker,
});

/** Each one later than those before it. */
const ORDER = [
  said(1, 0, 3, 0),
  said(1, 0, 3, 1),
  said(1, 0, 3, 40),
  said(1, 0, 4, 0),
  said(1, 0, 9, 7),
  // Commits were taken back, and the group went on from epoch 4 on.
  said(1, 1, 4, 0),
  said(1, 1, 5, 0),
  // The successor begins its epochs anew.
  said(2, 0, 1, 0),
  said(2, 0, 1, 1),
];

test('R-121 R-178 R-184 D-18 only what is strictly later takes the place, by instance, history, epoch, generation in this order', () => {
  for (const [one, earlier] of ORDER.entries()) {
    for (const [other, later] of ORDER.entries()) expect(supersedes(later, earlier)).toBe(other > one);
  }
});

test('the first one takes the place of nothing', () => {
  expect(supersedes(said(1, 0, 0, 0), undefined)).toBe(true);
});

test('within an epoch another leaf takes nobody’s place, whatever its generation (A-06)', () => {
  expect(supersedes(said(1, 0, 3, 9, anna), said(1, 0, 3, 1))).toBe(false);
  expect(supersedes(said(1, 0, 3, 1, anna), said(1, 0, 3, 9))).toBe(false);
  expect(supersedes(said(1, 0, 4, 0, anna), said(1, 0, 3, 9))).toBe(true);
});
