import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  countsOf,
  disagreements,
  idsOf,
  rewritten,
  rowsOf,
  scan,
  titlesOf,
  type Row,
} from './support/protocol-page.js';
import { filesOf } from './support/tree.js';

const PAGE = 'docs/protocol.md';

describe('docs/protocol.md', () => {
  const tests = filesOf('test').filter(({ path }) => path !== 'protocol.test.ts'); // its ids are samples
  const found = scan(filesOf('src'), tests);
  // COVEY_WRITE_PROTOCOL=1 npx vitest run test/protocol.test.ts
  if (process.env['COVEY_WRITE_PROTOCOL']) writeFileSync(PAGE, rewritten(readFileSync(PAGE, 'utf8'), found));
  const page = readFileSync(PAGE, 'utf8');
  const rows = rowsOf(page);

  test('says of every rule what code and tests bear out', () => {
    expect(disagreements(rows, found)).toEqual([]);
  });

  test.each(['R', 'I'] as const)('counts right what begins with %s', (family) => {
    const counts = countsOf(family, rows);
    console.log(counts);
    expect(page).toContain(counts);
  });
});

describe('the comparison sees a planted lie', () => {
  const open = [...idsOf('R'), ...idsOf('I')].map((id): Row => ({ id, state: 'open', code: [], tests: [] }));
  const built: Row = { id: 'R-056', state: 'built', code: ['src/mls/policy.ts'], tests: ['test/mls/policy.test.ts'] };
  const src = [{ path: 'mls/policy.ts', text: '/** Refuses what is no admin. R-056 */' }];
  const tests = [{ path: 'mls/policy.test.ts', text: `test('R-056 a Commit by no admin is refused', () => {});` }];
  const lies = (changed: Row | undefined, code = src, proofs = tests) =>
    disagreements(
      open.flatMap((row) => (row.id === 'R-056' ? (changed ?? []) : row)),
      scan(code, proofs),
    );

  test('and finds nothing where there is none', () => expect(lies(built)).toEqual([]));

  test.each<[string, Row | undefined, typeof src?, typeof tests?]>([
    ['a rule without a row', undefined, [], []],
    ['a rule called open that is built', { ...built, state: 'open', code: [], tests: [] }, src, tests],
    ['a rule called open that code names', { ...built, state: 'open', code: [], tests: [] }, src, []],
    ['a rule called open that a test names', { ...built, state: 'open', code: [], tests: [] }, [], tests],
    ['a rule called built without code', built, [], tests],
    ['a rule called built without a test', built, src, []],
    ['a rule called built that names no test', { ...built, tests: [] }],
    ['a rule called built elsewhere', { ...built, code: ['src/mls/other.ts'] }],
    [
      'a rule that only the body of a test names',
      built,
      src,
      [{ path: 'mls/policy.test.ts', text: `test('x', () => 'R-056');` }],
    ],
    ['a state that is none', { ...built, state: 'half' }],
    ['a rule that does not exist', built, [...src, { path: 'mls/other.ts', text: '// R-227' }]],
    ['a rule of the other document that does not exist', built, [...src, { path: 'mls/other.ts', text: '// I-999' }]],
  ])('%s', (_, row, code, proofs) => expect(lies(row, code, proofs)).not.toEqual([]));

  test('ids count in titles and in the tables that fill them, and nowhere else', () => {
    const text = `
      const CASES = [{ id: 'R-001' }];
      describe('R-002', () => { test.each(CASES)('$id', () => expect('R-003')); });
      test.each([['R-004', 1]])('%s', () => 'R-005');
      it.skipIf(false)(\`R-006 \${1}\`, () => {}); other('R-007');`;
    expect(titlesOf(text).join().match(/R-\d+/g)).toEqual(['R-002', 'R-001', 'R-004', 'R-006']);
  });

  test('a page is rewritten to what was found', () => {
    const page =
      'Built of OCM-MLS: 9.\n| R-055 | 7.2 | MUST | x | built | `src/a.ts` | |\n| R-056 | 7.2 | MUST | y | open |  |  |';
    expect(rewritten(page, scan(src, tests))).toBe(
      `${countsOf('R', [built])}\n| R-055 | 7.2 | MUST | x | open |  |  |\n| R-056 | 7.2 | MUST | y | built | \`src/mls/policy.ts\` | \`test/mls/policy.test.ts\` |`,
    );
  });
});
