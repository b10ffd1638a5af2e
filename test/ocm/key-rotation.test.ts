import { expect, test } from 'vitest';
import { goneAt, type KeyTurn, signsFrom, turnOver } from '../../src/ocm/key-rotation.js';

const at = (hours: number) => new Date(Date.UTC(2026, 0, 1, hours));
const key = (kid: string, state: KeyTurn['state'], createdAt: Date, retiredAt: Date | null = null): KeyTurn => ({
  kid,
  kind: 'http',
  state,
  createdAt,
  retiredAt,
});
const FIVE_MINUTES = 300_000;

test('a key signs six hours after it was published', () => {
  const next = key('next', 'next', at(0));
  expect(signsFrom(next)).toEqual(at(6));
  expect(turnOver([next], new Date(at(6).getTime() - 1), FIVE_MINUTES).promote).toEqual([]);
  expect(turnOver([next], at(6), FIVE_MINUTES).promote).toEqual([next]);
});

test('a retired key goes a day after the last token that it signed has expired', () => {
  const retired = key('old', 'retired', at(0), at(6));
  const gone = new Date(at(30).getTime() + FIVE_MINUTES);
  expect(goneAt(at(6), FIVE_MINUTES)).toEqual(gone);
  expect(turnOver([retired], new Date(gone.getTime() - 1), FIVE_MINUTES).remove).toEqual([]);
  expect(turnOver([retired, key('now', 'current', at(0))], gone, FIVE_MINUTES)).toEqual({
    promote: [],
    remove: [retired],
  });
});
