import { describe, expect, test } from 'vitest';
import {
  commitsFor,
  commitsThatFit,
  missedCommitsAnswer,
  type MissedCommits,
  parseMissedCommits,
} from '../../src/groups/missed-commits.js';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { epoch, mlsGroupId } from '../../src/kernel/ids.js';

const alice = ocmAddress('alice@a.test');
const bob = ocmAddress('bob@b.test');
const bella = ocmAddress('bella@b.test');
const carol = ocmAddress('carol@c.test');
const [b, c] = [host('b.test'), host('c.test')];
const step = (at: number, added: (typeof alice)[], removed: (typeof alice)[] = [], bytes = 1000) => ({
  epoch: epoch(at),
  added,
  removed,
  bytes,
});

describe('who may have which Commits', () => {
  test('a member server may have all that were made while it was one', () => {
    expect(commitsFor(b, [alice, bob, carol], [step(4, [carol]), step(5, [])])).toBe(2);
  });

  test('a server that was added since may not have what was before', () => {
    expect(commitsFor(c, [alice, bob, carol], [step(4, [carol]), step(5, [])])).toBeUndefined();
    expect(commitsFor(c, [alice, bob, carol], [step(5, [])])).toBe(1);
  });

  test('a server whose last user was removed may have that Commit, and none after it', () => {
    const steps = [step(4, []), step(5, [], [bob]), step(6, []), step(7, [bella])];
    expect(commitsFor(b, [alice, bella], steps)).toBe(2);
    expect(commitsFor(b, [alice, bella], steps.slice(2))).toBeUndefined();
  });

  test('who rejoined was a member all the time', () => {
    expect(commitsFor(b, [alice, bob], [step(4, []), step(5, [bob], [bob]), step(6, [])])).toBe(3);
  });

  test('when there are none, a server that is a member now learns just that', () => {
    expect(commitsFor(b, [alice, bob], [])).toBe(0);
    expect(commitsFor(c, [alice, bob], [])).toBeUndefined();
  });
});

test('one answer holds at most 50 Commits and 2 MiB, and always one', () => {
  const many = Array.from({ length: 60 }, (_, at) => step(at, []));
  expect(commitsThatFit(many)).toBe(50);
  expect(commitsThatFit([])).toBe(0);
  const large = [step(0, [], [], 3_000_000), step(1, [], [], 10)];
  expect(commitsThatFit(large)).toBe(1);
  expect(commitsThatFit([step(0, [], [], 2_000_000), step(1, [], [], 50_000), step(2, [], [], 90_000)])).toBe(2);
});

describe('the answer on the wire', () => {
  const group = mlsGroupId(utf8('group'));
  const missed: MissedCommits = {
    epoch: epoch(9),
    commits: [{ arbiter: host('a.test'), proposals: [utf8('p')], content: utf8('c') }],
  };
  const written = (change: object) => utf8(JSON.stringify({ ...missedCommitsAnswer(group, missed), ...change }));

  test('is read as it was written', () => expect(parseMissedCommits(written({}), group)).toEqual(missed));

  test.each([
    ['of another group', { mlsGroupId: 'AAAA' }],
    ['without an epoch', { epoch: undefined }],
    ['with an epoch that is none', { epoch: 1.5 }],
    ['with too many Commits', { commits: Array(51).fill({ arbiter: 'a.test', proposals: [], content: 'AA' }) }],
    ['with an arbiter that is no host', { commits: [{ arbiter: 'a b', proposals: [], content: 'AA' }] }],
    ['with a Commit that is empty', { commits: [{ arbiter: 'a.test', proposals: [], content: '' }] }],
  ])('%s it is refused', (_, change) =>
    expect(() => parseMissedCommits(written(change), group)).toThrow('commits.answer-malformed'),
  );

  test('and so is what is no JSON', () =>
    expect(() => parseMissedCommits(utf8('<html>'), group)).toThrow('commits.answer-malformed'));
});
