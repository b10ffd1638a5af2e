import ts from 'typescript';
import type { SourceFile } from './architecture.js';

/** A row of the table in docs/protocol.md. */
export interface Row {
  readonly id: string;
  readonly state: string;
  readonly code: readonly string[];
  readonly tests: readonly string[];
}

/** Where ids were found: id -> paths relative to the repository. */
export interface Found {
  readonly code: ReadonlyMap<string, readonly string[]>;
  readonly tests: ReadonlyMap<string, readonly string[]>;
}

/** How many rules each document has: OCM-MLS, and OCM-IP. */
export const RULES = { R: 226, I: 57 } as const;
export type Family = keyof typeof RULES;
const NAMES = { R: 'OCM-MLS', I: 'OCM-IP' } as const;
const FAMILIES = Object.keys(RULES) as Family[];
const ID = /\b[RI]-\d{3}\b/g;
/** How many files a row names of each kind; more would hide the ones that matter. */
const NAMED = 2;
const ROW = /^\| ([RI]-\d{3}) \|(.*)\| (\S+) \| (.*?) ?\| (.*?) ?\|$/;

const ids = (text: string): string[] => [...new Set(text.match(ID))];
const files = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path!);
const isBuilt = (found: Found, id: string): boolean => found.code.has(id) && found.tests.has(id);

export const rowsOf = (page: string): Row[] =>
  page.split('\n').flatMap((line) => {
    const [, id, , state, code, tests] = ROW.exec(line) ?? [];
    return id === undefined ? [] : [{ id, state: state!, code: files(code!), tests: files(tests!) }];
  });

/** Ids count where they are written out: anywhere in code, and in the titles of tests. */
export function scan(src: readonly SourceFile[], tests: readonly SourceFile[]): Found {
  const found = { code: new Map<string, string[]>(), tests: new Map<string, string[]>() };
  const note = (map: Map<string, string[]>, id: string, path: string) => map.set(id, [...(map.get(id) ?? []), path]);
  for (const { path, text } of src) for (const id of ids(text)) note(found.code, id, `src/${path}`);
  for (const { path, text } of tests.filter((file) => file.path.endsWith('.test.ts'))) {
    for (const id of ids(titlesOf(text).join('\n'))) note(found.tests, id, `test/${path}`);
  }
  return found;
}

/** The titles of tests, and the tables that fill them. */
export function titlesOf(text: string): string[] {
  const source = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(test|it|describe)\b/.test(node.expression.getText())) {
      const [first] = node.arguments;
      const isTable = ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'each';
      if (first && isTable) titles.push(...words(ts.isIdentifier(first) ? valueOf(source, first.text) : first));
      else if (first && (ts.isStringLiteralLike(first) || ts.isTemplateExpression(first))) titles.push(first.getText());
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

/** What a constant of the file holds. */
function valueOf(source: ts.SourceFile, name: string): ts.Node | undefined {
  const declared = source.statements.flatMap((node) =>
    ts.isVariableStatement(node) ? node.declarationList.declarations : [],
  );
  return declared.find((declaration) => declaration.name.getText() === name)?.initializer;
}

function words(node: ts.Node | undefined): string[] {
  if (!node) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  return node.getChildren().flatMap(words);
}

/** What the page says and code and tests do not bear out, or the other way round; empty when all three agree. */
export function disagreements(rows: readonly Row[], found: Found): string[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  const expected = FAMILIES.flatMap((family) => idsOf(family));
  const isUnknown = (id: string) => !expected.includes(id);
  return [
    ...expected.filter((id) => !known.has(id)).map((id) => `${id} has no row`),
    ...rows.filter(({ id }, index) => rows[index - 1]?.id === id).map(({ id }) => `${id} has two rows`),
    ...[...new Set([...known.keys(), ...found.code.keys(), ...found.tests.keys()])]
      .filter(isUnknown)
      .map((id) => `${id} is no rule`),
    ...rows.flatMap((row) => disagreement(row, found)),
  ];
}

function disagreement({ id, state, code, tests }: Row, found: Found): string[] {
  const [inCode, inTests] = [found.code.get(id) ?? [], found.tests.get(id) ?? []];
  if (state === 'open') {
    return [...inCode, ...inTests, ...code, ...tests].map((path) => `${id} is called open, but ${path} names it`);
  }
  if (state !== 'built') return [`${id} is ${state}, which is no state`];
  return [
    ...(code.length === 0 ? [`${id} is called built, but the page names no code`] : []),
    ...(tests.length === 0 ? [`${id} is called built, but the page names no test`] : []),
    ...code.filter((path) => !inCode.includes(path)).map((path) => `${id} is not in ${path}`),
    ...tests.filter((path) => !inTests.includes(path)).map((path) => `${id} is in no title of a test in ${path}`),
  ];
}

/** The page with states, files and tests as they were found. Rules that are only half there come out as open. */
export function rewritten(page: string, found: Found): string {
  const named = (paths: readonly string[] = []) =>
    paths
      .slice(0, NAMED)
      .map((path) => `\`${path}\``)
      .join(' ');
  const whole = page
    .split('\n')
    .map((line) => {
      const [, id, said] = ROW.exec(line) ?? [];
      if (id === undefined) return line;
      const places = isBuilt(found, id) ? [named(found.code.get(id)), named(found.tests.get(id))] : ['', ''];
      return `| ${id} |${said}| ${isBuilt(found, id) ? 'built' : 'open'} | ${places.join(' | ')} |`;
    })
    .join('\n');
  return FAMILIES.reduce((text, family) => {
    const counts = countsOf(family, rowsOf(text));
    return text.replace(new RegExp(`^${counts.replace(/:.*/, '')}: .*$`, 'm'), counts);
  }, whole);
}

/** The ids of all rules of a document. */
export const idsOf = (family: Family): string[] =>
  Array.from({ length: RULES[family] }, (_, index) => `${family}-${String(index + 1).padStart(3, '0')}`);

/** The line that counts them. */
export function countsOf(family: Family, rows: readonly Row[]): string {
  const built = rows.filter(({ id, state }) => id.startsWith(family) && state === 'built').length;
  return `Built of ${NAMES[family]}: ${built} of ${RULES[family]}. Open: ${RULES[family] - built}.`;
}
