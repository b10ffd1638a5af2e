import { describe, expect, test } from 'vitest';
import { rejoinWaitMs, signOfDrift } from '../../src/groups/drift.js';
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
