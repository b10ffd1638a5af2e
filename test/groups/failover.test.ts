import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adminsBefore, arbiterOf, isTriggered, outranks, takeoverAt, takesOver } from '../../src/groups/failover.js';
import { host, ocmAddress } from '../../src/kernel/address.js';
import type { CommitFacts } from '../../src/mls/group-view.js';

const HOUR = 3_600_000;
const [a, b, c, d] = ['a.test', 'b.test', 'c.test', 'd.test'].map(host) as [never, never, never, never];
const [alice, anna, bob, carol, dave] = [
  'alice@a.test',
  'anna@a.test',
  'bob@b.test',
  'carol@c.test',
  'dave@d.test',
].map(ocmAddress) as [never, never, never, never, never];
const at = (hour: number) => new Date(hour * HOUR);
const quiet = { lastCommit: at(100), takeoverMs: 36 * HOUR };

/** What a Commit by `committer` made of the admin set. */
const facts = (committer: never, before: readonly never[], after: readonly never[]) =>
  ({ committer, before: { admins: before }, after: { admins: after } }) as unknown as CommitFacts;

describe('when the owner falls silent', () => {
  const lab = { admins: [alice, anna, bob, carol, alice] };

  test('R-085 R-087 R-088 the next server may take over when no Commit came for the takeover time, the one behind it later', () => {
    expect(takeoverAt(lab, b, quiet)).toEqual(at(136));
    expect(takeoverAt(lab, c, quiet)).toEqual(at(172));
  });

  test('the owner server has nothing to take over, nor has a server without an admin', () => {
    expect(takeoverAt(lab, a, quiet)).toBeUndefined();
    expect(takeoverAt(lab, d, quiet)).toBeUndefined();
  });

  test('R-087 the trigger is seen when the first server may take over, and never where there is no other', () => {
    expect(isTriggered(lab, quiet, at(135.9))).toBe(false);
    expect(isTriggered(lab, quiet, at(136))).toBe(true);
    expect(isTriggered({ admins: [alice, anna] }, quiet, at(9999))).toBe(false);
  });

  test('R-089 all admins before its own first one are evicted, the others of their servers stay', () => {
    expect(adminsBefore(lab, b)).toEqual([alice, anna]);
    expect(adminsBefore({ admins: [alice, carol, anna, bob] }, b)).toEqual([alice, carol, anna]);
    expect(adminsBefore({ admins: [alice, carol, anna] }, c)).toEqual([alice]);
    expect(adminsBefore(lab, a)).toEqual([]);
  });
});

describe('R-090 of two arbiters the one whose admin is listed earlier wins', () => {
  const admins = [alice, bob, anna, carol];
  test.each([
    [a, b, true],
    [b, a, false],
    [b, c, true],
    [c, b, false],
    [a, a, false],
    [d, a, false],
    [a, d, true],
  ])('%s against %s: %s', (one, other, wins) => expect(outranks(admins, one, other)).toBe(wins));

  test('whatever the servers are, at most one of them wins', () => {
    const server = fc.constantFrom(a, b, c, d);
    fc.assert(
      fc.property(server, server, (one, other) => {
        expect(outranks(admins, one, other) && outranks(admins, other, one)).toBe(false);
      }),
    );
  });
});

describe('who arbitrates a Commit', () => {
  const admins = [alice, bob, carol];
  const evicting = facts(bob, admins, [bob, carol]);
  const ordinary = facts(bob, admins, [...admins, dave]);
  const brought = (from: never, here: never, due?: Date) => ({ here, from, due, now: at(136) });

  test('a takeover makes the server that brings it the owner, by an admin of its own', () => {
    expect(takesOver(evicting, b)).toBe(true);
    expect(takesOver(evicting, c)).toBe(false);
    expect(takesOver(facts(carol, admins, [bob, carol]), b)).toBe(false);
    expect(takesOver(ordinary, b)).toBe(false);
    expect(takesOver(facts(alice, admins, [alice, bob]), a)).toBe(false);
  });

  test('R-015 the owner server, of what it broadcasts', () => {
    expect(arbiterOf(ordinary, brought(a, c))).toEqual({ arbiter: a });
  });

  test('R-055 the owner server, of what the home of the committer submits to it', () => {
    expect(arbiterOf(ordinary, brought(b, a))).toEqual({ arbiter: a });
    expect(arbiterOf(ordinary, brought(c, a))).toEqual({ fault: 'commit.not-from-home' });
  });

  test('R-088 the server that takes over, once the trigger is seen; before, the same may be right later', () => {
    expect(arbiterOf(evicting, brought(b, c, at(136)))).toEqual({ arbiter: b });
    expect(arbiterOf(evicting, brought(b, c, at(137)))).toEqual({ fault: 'commit.takeover-early' });
    expect(arbiterOf(evicting, brought(b, c))).toEqual({ fault: 'commit.takeover-early' });
    expect(arbiterOf(ordinary, brought(b, c, at(136)))).toEqual({ fault: 'commit.not-from-owner' });
  });

  test('the old owner that comes back arbitrates no takeover of its own place', () => {
    expect(arbiterOf(evicting, brought(b, a, at(136)))).toEqual({ arbiter: b });
    expect(arbiterOf(evicting, brought(b, a, at(137)))).toEqual({ arbiter: a });
  });
});
