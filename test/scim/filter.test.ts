import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFault } from '../../src/kernel/fault.js';
import type { AttributePath } from '../../src/scim/attribute-path.js';
import { type Filter, OPERATORS, printFilter } from '../../src/scim/filter.js';
import { DEEPEST_FILTER, LONGEST_FILTER, MOST_TERMS, parseFilter } from '../../src/scim/filter-parser.js';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User';
const is = (name: string, value: string, sub?: string): Filter => ({
  kind: 'compare',
  path: { name, ...(sub && { sub }) },
  operator: 'eq',
  value,
});
const [a, b, c] = [is('a', '1'), is('b', '2'), is('c', '3')];

describe('the examples of RFC 7644', () => {
  test.each([
    ['userName eq "bjensen"', 'userName eq "bjensen"'],
    ['userName Eq "john"', 'userName eq "john"'],
    [`name.familyName co "O'Malley"`, `name.familyName co "O'Malley"`],
    [`${CORE}:userName sw "J"`, `${CORE}:userName sw "J"`],
    ['title pr', 'title pr'],
    ['meta.lastModified gt "2011-05-13T04:42:34Z"', 'meta.lastModified gt "2011-05-13T04:42:34Z"'],
    ['title pr and userType eq "Employee"', 'title pr and userType eq "Employee"'],
    ['schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"', `schemas eq "${CORE}"`],
    [
      'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
      'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
    ],
    [
      'userType ne "Employee" AND NOT(emails co "example.com")',
      'userType ne "Employee" and not (emails co "example.com")',
    ],
    [
      'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
      'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
    ],
  ])('%s', (text, printed) => expect(printFilter(parseFilter(text))).toBe(printed));
});

test.each<[string, Filter]>([
  ['a eq "1" or b eq "2" and c eq "3"', { kind: 'or', parts: [a, { kind: 'and', parts: [b, c] }] }],
  ['(a eq "1" or b eq "2") and c eq "3"', { kind: 'and', parts: [{ kind: 'or', parts: [a, b] }, c] }],
  ['not (a eq "1") and b eq "2"', { kind: 'and', parts: [{ kind: 'not', of: a }, b] }],
  ['((a eq "1"))', a],
  ['  a\teq   "1" ', a],
  ['members.value eq "x"', is('members', 'x', 'value')],
  ['members[value eq "x"]', { kind: 'element', path: { name: 'members' }, of: is('value', 'x') }],
  ['members.$ref pr', { kind: 'present', path: { name: 'members', sub: '$ref' } }],
  ['not eq "1"', is('not', '1')],
  ['a eq "\\u0041\\"\\\\\\n"', is('a', 'A"\\\n')],
])('%s is read as it is meant', (text, filter) => expect(parseFilter(text)).toEqual(filter));

test.each([
  ['true', true],
  ['false', false],
  ['null', null],
  ['-1.5e3', -1500],
  ['0', 0],
])('%s is a value', (text, value) => expect(parseFilter(`a eq ${text}`)).toMatchObject({ value }));

test.each([
  '',
  ' ',
  'a',
  'a eq',
  'a eq x',
  'a eq TRUE',
  'a is "1"',
  '"a" eq "1"',
  'eq "1"',
  'a pr "1"',
  'a eq "1" b eq "2"',
  'a eq "1" and',
  'and a eq "1"',
  'a eq "1" xor b eq "2"',
  'not a eq "1"',
  'a eq "1',
  "a eq '1'",
  'a eq "\\x"',
  'a eq "\n"',
  'a eq 01',
  'a eq 1.',
  'a eq 1x',
  'a eq [1]',
  '(a eq "1"',
  'a eq "1")',
  '()',
  'not ()',
  'a[]',
  'a[b eq "1"',
  'a[b eq "1")',
  'a[b[c eq "1"] pr]',
  'a[b[c pr]]',
  'a[b eq "1"].c eq "2"',
  'a.b.c eq "1"',
  'a..b eq "1"',
  '.a eq "1"',
  '1a eq "1"',
  'urn:x: eq "1"',
  'a;b eq "1"',
  'a eq "1" && b eq "2"',
  'ä eq "1"',
])('%j is no filter', (text) => expect(() => parseFilter(text)).toThrow('scim.filter'));

const nested = (depth: number) => `${'('.repeat(depth)}a pr${')'.repeat(depth)}`;
const many = (terms: number) => Array.from({ length: terms }, () => 'a pr').join(' or ');

test('a filter has a limited length, depth and number of terms', () => {
  const long = (length: number) => `a eq "${'x'.repeat(length - 7)}"`;
  expect(parseFilter(long(LONGEST_FILTER))).toMatchObject({ kind: 'compare' });
  expect(() => parseFilter(long(LONGEST_FILTER + 1))).toThrow('scim.filter');
  expect(parseFilter(nested(DEEPEST_FILTER))).toEqual({ kind: 'present', path: { name: 'a' } });
  expect(() => parseFilter(nested(DEEPEST_FILTER + 1))).toThrow('scim.filter');
  expect(() => parseFilter(`${'not('.repeat(1000)}`)).toThrow('scim.filter');
  expect(parseFilter(many(MOST_TERMS))).toMatchObject({ kind: 'or' });
  expect(() => parseFilter(many(MOST_TERMS + 1))).toThrow('scim.filter');
});

const name = fc.stringMatching(/^[A-Za-z$][A-Za-z0-9$_-]{0,8}$/);
const path = (schemas: readonly (string | undefined)[]): fc.Arbitrary<AttributePath> =>
  fc
    .tuple(fc.constantFrom(...schemas), name, fc.option(name, { nil: undefined }))
    .map(([schema, of, sub]) => ({ ...(schema && { schema }), name: of, ...(sub !== undefined && { sub }) }));
const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null));

const filters = (depth: number, inElement: boolean): fc.Arbitrary<Filter> => {
  const paths = path(inElement ? [undefined] : [undefined, CORE]);
  const leaves: fc.Arbitrary<Filter>[] = [
    fc.record({ kind: fc.constant('present' as const), path: paths }),
    fc.record({ kind: fc.constant('compare' as const), path: paths, operator: fc.constantFrom(...OPERATORS), value }),
  ];
  if (depth === 0) return fc.oneof(...leaves);
  const smaller = filters(depth - 1, inElement);
  return fc.oneof(
    ...leaves,
    fc.record({ kind: fc.constant('not' as const), of: smaller }),
    ...(inElement
      ? []
      : [fc.record({ kind: fc.constant('element' as const), path: paths, of: filters(depth - 1, true) })]),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(smaller, { minLength: 2, maxLength: 3 }),
    }),
  );
};

test('what is printed is read as the same filter', () => {
  fc.assert(
    fc.property(filters(3, false), (filter) => {
      expect(parseFilter(printFilter(filter))).toEqual(filter);
    }),
  );
});

test('any other text is refused, and breaks nothing', () => {
  const word = fc.constantFrom('a', 'eq', 'pr', 'and', 'or', 'not', '(', ')', '[', ']', '"x"', '"', '1', 'null', '\\');
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(text, (any) => {
      try {
        expect(printFilter(parseFilter(any)).length).toBeGreaterThan(0);
      } catch (error) {
        expect(isFault(error, 'scim.filter')).toBe(true);
      }
    }),
  );
});
