import { describe, expect, test } from 'vitest';
import { isDenial, rejoinWaitMs, signOfDrift, wasRemoved } from '../../src/groups/drift.js';
import { host } from '../../src/kernel/address.js';
import type { FaultCode } from '../../src/kernel/fault.js';

const [here, owner, other] = [host('b.test'), host('a.test'), host('c.test')];

describe('R-132 what a Commit that cannot be followed says of our state', () => {
  test.each<[string, FaultCode, string | undefined]>([
    ['it fails cryptographically', 'commit.unopenable', 'commit-unopenable'],
    ['our leaves do not end in the same epoch', 'commit.leaves-apart', 'commit-unopenable'],
    ['our own leaf made it, and we do not know it', 'commit.own-echo', 'own-commit-unknown'],
    ['it may be of another history', 'commit.unauthentic', 'suspect'],
    ['a breach of policy is never a reason to drift', 'commit.not-admin', undefined],
    ['nor is a breach of the rules of MLS', 'commit.invalid', undefined],
  ])('%s', (_, code, sign) => expect(signOfDrift(code, { here, owner, from: owner })).toBe(sign));

  test('what is submitted to the owner server harms nobody but who submits it', () => {
    for (const code of ['commit.unopenable', 'commit.unauthentic'] as const) {
      expect(signOfDrift(code, { here, owner: here, from: other })).toBeUndefined();
      expect(signOfDrift(code, { here, owner, from: other })).toBeUndefined();
    }
  });
});

test('the admins are asked again after ten minutes, in the end every six hours', () => {
  expect([0, 1, 5, 6, 1000].map(rejoinWaitMs)).toEqual([600_000, 1_200_000, 19_200_000, 21_600_000, 21_600_000]);
});

describe('R-136 whether a server was removed while it had lost the group', () => {
  const [x, y] = [host('x.test'), host('y.test')];
  test.each<[string, FaultCode | undefined, string[], number, boolean]>([
    ['all say so for long', 'rejoin.not-member', ['x.test', 'y.test'], 10, true],
    ['one of them says nothing', 'rejoin.not-member', ['x.test'], 10, false],
    ['not for long', 'rejoin.not-member', ['x.test', 'y.test'], 9, false],
    ['nobody with a say says so', 'rejoin.not-admin-server', ['x.test', 'y.test'], 10, false],
    ['it was not refused', undefined, ['x.test', 'y.test'], 10, false],
  ])('%s', (_, code, denied, rounds, removed) => {
    expect(wasRemoved(code, { deniedBy: denied.map(host), rounds }, [x, y])).toBe(removed);
  });

  test('that a request cannot be taken now denies nothing', () => {
    for (const code of ['group.drifted', 'rejoin.key-package', undefined] as const) expect(isDenial(code)).toBe(false);
    for (const code of ['rejoin.not-member', 'rejoin.not-admin-server', 'group.left'] as const) {
      expect(isDenial(code)).toBe(true);
    }
  });
});
