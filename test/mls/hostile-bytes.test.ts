import fc from 'fast-check';
import { decodeMlsMessage, encodeGroupState, encodeMlsMessage } from 'ts-mls';
import { encodeKeyPackage } from 'ts-mls/keyPackage.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { join, proposeRemove, readHead, readProposal } from '../../src/mls/epoch.js';
import { checkKeyPackage, writeKeyPackage } from '../../src/mls/key-package.js';
import { walkMessage } from '../../src/mls/message-walk.js';
import { type Fellow, fellow, Fellowship, NOW } from './support/fellows.js';

/** One way to spoil a message. Places and lengths are fractions, so that they fit any message. */
const spoiling = fc.oneof(
  fc.record({ how: fc.constant('flip' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) }),
  fc.record({ how: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ how: fc.constant('tail' as const), tail: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  fc.record({
    how: fc.constant('insert' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    more: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    how: fc.constant('drop' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 1, max: 8 }),
  }),
);
type Spoiling = typeof spoiling extends fc.Arbitrary<infer T> ? T : never;

function spoil(bytes: Uint8Array, spoiled: Spoiling): Uint8Array {
  const place = (at: number) => Math.min(bytes.length - 1, Math.floor(at * bytes.length));
  switch (spoiled.how) {
    case 'flip': {
      const flipped = bytes.slice();
      flipped[place(spoiled.at)]! ^= 1 << spoiled.bit;
      return flipped;
    }
    case 'cut':
      return bytes.slice(0, place(spoiled.at));
    case 'tail':
      return new Uint8Array([...bytes, ...spoiled.tail]);
    case 'insert':
      return new Uint8Array([...bytes.slice(0, place(spoiled.at)), ...spoiled.more, ...bytes.slice(place(spoiled.at))]);
    case 'drop':
      return new Uint8Array([...bytes.slice(0, place(spoiled.at)), ...bytes.slice(place(spoiled.at) + spoiled.count)]);
  }
}

describe('spoiled bytes are refused with a fault, and change nothing', () => {
  let group: Fellowship;
  let erin: Fellow;
  let leave: Uint8Array;
  let commit: Uint8Array;
  let welcome: Uint8Array;
  beforeAll(async () => {
    group = await Fellowship.of(['alice', 'bob', 'carol', 'dave']);
    erin = await fellow('erin', group.suite);
    leave = await proposeRemove(group.state('carol'), group.leaf('carol'), group.suite);
    const made = await group.build('alice', { proposals: [leave], add: [erin.keyPackage] });
    [commit, welcome] = [made.commit, made.welcome!];
  });

  /** Every spoiled form of `whole` must be refused; what encodes to the same bytes again was not spoiled. */
  async function allRefused(whole: Uint8Array, take: (bytes: Uint8Array) => Promise<unknown>): Promise<void> {
    await take(whole);
    const before = toHex(encodeGroupState(group.state('dave')));
    await fc.assert(
      fc.asyncProperty(spoiling, async (spoiled) => {
        const bytes = spoil(whole, spoiled);
        fc.pre(toHex(bytes) !== toHex(whole));
        const outcome: unknown = await take(bytes).catch((error: unknown) => error);
        expect(outcome, String(outcome)).toBeInstanceOf(Fault);
        expect(toHex(encodeGroupState(group.state('dave')))).toBe(before);
      }),
      { numRuns: 150 },
    );
  }

  test('of a Commit', () => allRefused(commit, (bytes) => group.advance('dave', bytes, [leave])), 60_000);

  test(
    'of a proposal that comes with a Commit',
    () => allRefused(leave, (bytes) => group.advance('dave', commit, [bytes])),
    60_000,
  );

  test(
    'of a proposal',
    () => allRefused(leave, (bytes) => readProposal(group.state('dave'), bytes, group.suite)),
    60_000,
  );

  test(
    'of a Welcome',
    () => allRefused(welcome, (bytes) => join(bytes, erin.keyPackage, erin.privateKeys, group.suite)),
    60_000,
  );

  // Bare: without the first four bytes of its MLSMessage a KeyPackage is one still.
  test(
    'of a KeyPackage',
    () =>
      allRefused(encodeKeyPackage(erin.keyPackage), (bytes) =>
        checkKeyPackage(bytes, { userId: erin.address, now: NOW }, group.suite),
      ),
    60_000,
  );

  test('and what our walk lets pass, the library reads to the last byte', () => {
    const encoded = (bytes: Uint8Array) => {
      try {
        const message = decodeMlsMessage(bytes, 0)?.[0];
        return message && toHex(encodeMlsMessage(message));
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(
        fc.constantFrom(commit, welcome, leave, writeKeyPackage(erin.keyPackage)),
        spoiling,
        (whole, spoiled) => {
          const bytes = spoil(whole, spoiled);
          try {
            walkMessage(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
            return;
          }
          expect([toHex(bytes), undefined]).toContain(encoded(bytes));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('of nothing in particular', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(() => readHead(bytes)).toThrow(Fault);
      }),
      { numRuns: 2000 },
    );
  });
});
