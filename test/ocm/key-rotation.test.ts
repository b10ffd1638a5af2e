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
const LIVES = { tokenLifetimeMs: FIVE_MINUTES, signingKeyAgeMs: 90 * 86_400_000 };

test('a key signs six hours after it was published', () => {
  const next = key('next', 'next', at(0));
  expect(signsFrom(next)).toEqual(at(6));
  expect(turnOver([next], new Date(at(6).getTime() - 1), LIVES).promote).toEqual([]);
  expect(turnOver([next], at(6), LIVES).promote).toEqual([next]);
});

test('a retired key goes a day after the last token that it signed has expired', () => {
  const retired = key('old', 'retired', at(0), at(6));
  const gone = new Date(at(30).getTime() + FIVE_MINUTES);
  expect(goneAt(at(6), FIVE_MINUTES)).toEqual(gone);
  expect(turnOver([retired], new Date(gone.getTime() - 1), LIVES).remove).toEqual([]);
  expect(turnOver([retired, key('now', 'current', at(0))], gone, LIVES)).toEqual({
    promote: [],
    remove: [retired],
    renew: [],
  });
});

test('a key that is ninety days old gets a successor, one', () => {
  const [old, due] = [key('old', 'current', at(0)), at(90 * 24)];
  expect(turnOver([old], new Date(due.getTime() - 1), LIVES).renew).toEqual([]);
  expect(turnOver([old], due, LIVES).renew).toEqual(['http']);
  expect(turnOver([old, key('next', 'next', due)], due, LIVES).renew).toEqual([]);
  const token = { ...key('token', 'current', at(24)), kind: 'token' as const };
  expect(turnOver([old, token], due, LIVES).renew).toEqual(['http']);
});
