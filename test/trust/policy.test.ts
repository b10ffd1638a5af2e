import fc from 'fast-check';
import { expect, test } from 'vitest';
import { providerPattern } from '../../src/kernel/provider-pattern.js';
import { judgeProvider, type PolicyFacts } from '../../src/trust/policy.js';

const NOTHING: PolicyFacts = {
  policy: 'open',
  deny: [],
  allow: [],
  listedBy: undefined,
  unread: false,
  decided: undefined,
};
const judged = (facts: Partial<PolicyFacts>) => judgeProvider('b.test', { ...NOTHING, ...facts });
const [b, below] = [[providerPattern('b.test')], [providerPattern('*.test')]];

test.each<[string, Partial<PolicyFacts>, object]>([
  ['open lets everybody in', {}, { kind: 'allowed', reason: 'open' }],
  ['listed refuses who is on no list', { policy: 'listed' }, { kind: 'refused', reason: 'not-listed' }],
  ['listed waits for a list never read', { policy: 'listed', unread: true }, { kind: 'held', reason: 'lists-unread' }],
  ['approve-first lets them wait', { policy: 'approve-first' }, { kind: 'held', reason: 'waiting' }],
  ['a list lets in', { policy: 'approve-first', listedBy: 'file' }, { kind: 'allowed', reason: 'listed', by: 'file' }],
  ['so does a pattern', { policy: 'listed', allow: b }, { kind: 'allowed', reason: 'allow-list', by: 'b.test' }],
  [
    'so does an approval',
    { policy: 'listed', decided: { decision: 'approved', quarantined: false } },
    { kind: 'allowed', reason: 'approved' },
  ],
  [
    'a refusal counts before lists',
    { allow: b, listedBy: 'file', decided: { decision: 'refused', quarantined: false } },
    { kind: 'refused', reason: 'refused' },
  ],
  [
    'what denies wins',
    { deny: below, allow: b, listedBy: 'file', decided: { decision: 'approved', quarantined: false } },
    { kind: 'refused', reason: 'deny-list', by: '*.test' },
  ],
  [
    'a quarantine keeps what waits, even of who is denied',
    { deny: below, decided: { decision: 'approved', quarantined: true } },
    { kind: 'held', reason: 'quarantined' },
  ],
])('%s', (_, facts, expected) => expect(judged(facts)).toEqual(expected));

test('who is denied or in quarantine is never let in, whatever else is said', () => {
  const facts = fc.record({
    policy: fc.constantFrom('open' as const, 'listed' as const, 'approve-first' as const),
    allow: fc.constantFrom([], b, below),
    deny: fc.constantFrom([], b, below),
    listedBy: fc.constantFrom(undefined, 'file'),
    unread: fc.boolean(),
    decided: fc.constantFrom(
      undefined,
      ...(['approved', 'refused', null] as const).flatMap((decision) =>
        [true, false].map((quarantined) => ({ decision, quarantined })),
      ),
    ),
  });
  fc.assert(
    fc.property(facts, (given) => {
      const { kind } = judgeProvider('b.test', given);
      if (given.deny.length > 0 || given.decided?.quarantined) expect(kind).not.toBe('allowed');
    }),
  );
});
