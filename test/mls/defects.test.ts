import * as mended from 'ts-mls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as commit from './scenarios/commit.js';
import * as joining from './scenarios/joining.js';
import * as messages from './scenarios/messages.js';
import { type Library, patchedLines, Workshop } from './support/library-without.js';

interface Defect {
  readonly number: number;
  /** What holds once it is mended. */
  readonly mended: string;
  readonly scenario: (lib: Library) => Promise<void>;
  /** How the scenario fails as long as it is not. */
  readonly withoutIt: RegExp;
}

/** 12 is not among them: trailing bytes and long lengths are refused by our own reader (mls-message.test.ts). */
const DEFECTS: readonly Defect[] = [
  [
    1,
    'new extensions alone come with an UpdatePath',
    commit.extensionsAloneComeWithAPath,
    /strictly unequal to:\s+undefined/,
  ],
  [
    2,
    'the path is sealed under the new extensions',
    commit.pathIsSealedUnderTheNewExtensions,
    /unable to authenticate data/,
  ],
  [
    3,
    'removed is who is named, though the slot is filled again',
    commit.removedIsWhoIsNamedThoughTheSlotIsTaken,
    /No overlap between provided private keys/,
  ],
  [4, 'a commit secret needs no root', commit.commitSecretNeedsNoRoot, /Could not verify confirmation tag/],
  [
    5,
    'an ancestor may list more unmerged leaves',
    joining.unmergedLeavesOfAnAncestorMayBeMore,
    /must list leaf node in its unmerged_leaves/,
  ],
  [6, 'external_pub has its length in front', joining.externalPubIsAVector, /strictly deep-equal/],
  [7, 'a PSK works in a PrivateMessage', messages.pskWorksInAPrivateMessage, /Could not find pskId/],
  [8, 'no more epochs are retained than asked for', messages.retainedEpochsAreNoMoreThanAsked, /4 !== 0/],
  [9, 'a refusal that is promised is a refusal', messages.aPromisedRefusalIsARefusal, /strictly deep-equal/],
  [
    10,
    'an application message tells sender, generation and epoch',
    messages.applicationMessagesTellTheirPlace,
    /strictly deep-equal/,
  ],
  [
    11,
    'a state of 8192 members is encoded',
    messages.statesOfManyMembersAreEncoded,
    /Maximum call stack size exceeded/,
  ],
  [13, 'joining hashes nothing for fresh leaves', joining.joiningHashesNothingForFreshLeaves, /hashes for 64 members/],
  [14, 'an empty list clears the extensions', commit.emptyListClearsTheExtensions, /unable to authenticate data/],
  [
    15,
    "lifetimes are judged at the caller's time",
    commit.lifetimesAreJudgedAtTheCallersTime,
    /Current time not within Lifetime/,
  ],
  [
    16,
    'who is left alone in a group still makes a fresh secret',
    commit.theLastOneLeftStillMakesAFreshSecret,
    /the removed member knows the new epoch/,
  ],
].map(([number, sentence, scenario, withoutIt]) => ({ number, mended: sentence, scenario, withoutIt }) as Defect);

describe('ts-mls as it is installed', () => {
  test.each(DEFECTS)('defect $number: $mended', ({ scenario }) => scenario(mended));
});

describe('ts-mls without one hunk', () => {
  let workshop: Workshop;
  beforeAll(async () => {
    workshop = await Workshop.open();
  });
  afterAll(() => workshop.close());

  test.each(DEFECTS)('defect $number is back', async ({ number, scenario, withoutIt }) => {
    const lib = await workshop.libraryWithout(number);
    await expect(scenario(lib)).rejects.toThrow(withoutIt);
  });

  test('a copy with everything in it has no defect', async () => {
    const copy = await workshop.libraryWithout(0);
    expect(copy).not.toBe(mended);
    for (const { scenario } of DEFECTS) await scenario(copy);
  });

  test('every change of the patch mends one defect, and every defect has its scenario', async () => {
    const changes = await patchedLines();
    expect(changes.filter(({ defects }) => defects.length !== 1)).toEqual([]);
    expect(new Set(changes.flatMap(({ defects }) => defects))).toEqual(new Set(DEFECTS.map(({ number }) => number)));
  });
});
