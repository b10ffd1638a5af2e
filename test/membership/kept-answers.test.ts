import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeptAnswers } from '../../src/membership/kept-answers.js';

const LIMIT = 10;
const word = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const deed = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ put: word, weight: fc.integer({ min: 1, max: 12 }), tags: fc.uniqueArray(word) }),
  },
  { weight: 3, arbitrary: fc.record({ get: word }) },
  { weight: 2, arbitrary: fc.record({ drop: word }) },
  { weight: 1, arbitrary: fc.constant('clear' as const) },
);

test('it keeps what was asked for last, never more than the limit, and nothing with a tag that was dropped', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
      const kept = new KeptAnswers(LIMIT);
      let plain: { key: string; value: number; weight: number; tags: string[] }[] = [];
      for (const [value, one] of deeds.entries()) {
        if (one === 'clear') {
          kept.clear();
          plain = [];
        } else if ('put' in one) {
          kept.put(one.put, { value, weight: one.weight, tags: one.tags });
          plain = plain.filter(({ key }) => key !== one.put);
          if (one.weight <= LIMIT) plain.push({ key: one.put, value, weight: one.weight, tags: one.tags });
          while (plain.reduce((sum, { weight }) => sum + weight, 0) > LIMIT) plain.shift();
        } else if ('get' in one) {
          const found = plain.find(({ key }) => key === one.get);
          expect(kept.has(one.get)).toBe(found !== undefined);
          expect(kept.get(one.get)).toBe(found?.value);
          plain = [...plain.filter((other) => other !== found), ...(found ? [found] : [])];
        } else {
          kept.drop(one.drop);
          plain = plain.filter(({ tags }) => !tags.includes(one.drop));
        }
        expect(kept.weight).toBe(plain.reduce((sum, { weight }) => sum + weight, 0));
        for (const key of 'abcde') expect(kept.has(key)).toBe(plain.some((entry) => entry.key === key));
      }
    }),
    { numRuns: 40 },
  );
});
