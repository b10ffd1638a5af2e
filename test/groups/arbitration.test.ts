import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeCommit } from '../../src/groups/arbitration.js';
import { type CommitDigest, epoch } from '../../src/kernel/ids.js';

const digest = (text: string) => text as CommitDigest;

describe('a Commit is judged by its epoch and digest', () => {
  test('R-015 R-111 the Commit of the current epoch may be accepted, and no other', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.boolean(), (current, made, known) => {
        const verdict = judgeCommit(
          epoch(current),
          { epoch: epoch(made), digest: digest('d') },
          known ? digest('e') : undefined,
        );
        expect(verdict.kind === 'accept').toBe(made === current);
      }),
    );
  });

  test('R-112 a later epoch means that Commits were missed', () => {
    expect(judgeCommit(epoch(4), { epoch: epoch(6), digest: digest('d') }, undefined)).toEqual({
      kind: 'gap',
      current: 4,
    });
  });

  test('the accepted Commit of a past epoch is a duplicate, every other one is stale', () => {
    const late = { epoch: epoch(3), digest: digest('d') };
    expect(judgeCommit(epoch(4), late, digest('d'))).toEqual({ kind: 'duplicate', current: 4 });
    expect(judgeCommit(epoch(4), late, digest('other'))).toEqual({ kind: 'stale', current: 4 });
    expect(judgeCommit(epoch(4), late, undefined)).toEqual({ kind: 'stale', current: 4 });
  });
});
