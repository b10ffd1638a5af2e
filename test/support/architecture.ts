import ts from 'typescript';

/** A file of `src`; the path is relative to it. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Rule 1: a folder imports from itself and from what stands to its left. */
export const LINE: readonly string[] =
  'kernel content platform trust ocm mls outbox feed groups tokens integration shares membership scim upstream inbox console cli'.split(
    ' ',
  );

/** Rule 2: a file with two dots is shell, and says of which kind. */
const SHELL =
  /^[^.]+\.(service|repository|client|controller|guard|filter|worker|module|provider|decorator|command)\.ts$/;
/** What a pure file may import; what begins with `type ` as types only. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '*': ['zod', 'node:crypto', 'type jose', 'structured-headers', 'http-message-sig', 'ipaddr.js'],
  mls: ['ts-mls', '@noble/curves', '@noble/hashes'],
  // parseArgs, which is given what it reads.
  cli: ['node:util'],
};
/** The roots put everything together. They stand right of the line, and no rule of purity binds them. */
const ROOTS = ['main.ts', 'cli.ts', 'app.module.ts'];

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const isRoot = (path: string): boolean => ROOTS.includes(path);
const isShell = (path: string): boolean => SHELL.test(nameOf(path));

/** What breaks rule 1, in sentences; empty when it is kept. */
export function brokenLine(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const at = isRoot(path) ? LINE.length : LINE.indexOf(folderOf(path));
    if (at < 0) return [`${path} is in no folder of the line`];
    return localImports(path, text).flatMap((target) => {
      const to = isRoot(target) ? LINE.length : LINE.indexOf(folderOf(target));
      return to > at || to < 0 ? [`${path} imports ${target}, which is to its right`] : [];
    });
  });
}

/** What breaks rule 2, in sentences; empty when it is kept. */
export function brokenDot(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const { path } = file;
    if (isRoot(path)) return [];
    if (isShell(path)) return elsewhere(file).map((use) => `${path} uses ${use}, which the platform provides`);
    if (nameOf(path).split('.').length !== 2) return [`${path} has two dots and is of no known kind`];
    return [...impureImports(file), ...impurities(file).map((use) => `${path} is pure and uses ${use}`)];
  });
}

function impureImports({ path, text }: SourceFile): string[] {
  const allowed = [...PURE_PACKAGES['*']!, ...(PURE_PACKAGES[folderOf(path)] ?? [])];
  const mayImport = ({ name, typeOnly }: Import) =>
    allowed.some((entry) => {
      const bare = entry.replace('type ', '');
      return (name === bare || name.startsWith(`${bare}/`)) && (typeOnly || entry === bare);
    });
  return [
    ...imports(text)
      .filter((found) => !found.name.startsWith('.') && !mayImport(found))
      .map(({ name }) => `${path} is pure and imports ${name}`),
    ...localImports(path, text)
      .filter((target) => isShell(target) || isRoot(target))
      .map((target) => `${path} is pure and imports ${target}`),
  ];
}

interface Import {
  readonly name: string;
  readonly typeOnly: boolean;
}

function imports(text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      found.push({ name: (node.moduleSpecifier as ts.StringLiteral).text, typeOnly: isTypeOnly(node) });
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments;
      found.push({ name: target && ts.isStringLiteral(target) ? target.text : 'something unknown', typeOnly: false });
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      found.push({ name: node.argument.literal.text, typeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(text));
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  const clause = ts.isImportDeclaration(node) ? node.importClause : node;
  if (!clause) return false;
  if ('phaseModifier' in clause ? clause.phaseModifier === ts.SyntaxKind.TypeKeyword : clause.isTypeOnly) return true;
  const named = ts.isImportClause(clause) ? clause.namedBindings : clause.exportClause;
  const bare =
    named !== undefined && (ts.isNamedImports(named) || ts.isNamedExports(named)) && !('name' in clause && clause.name);
  return bare && named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

/** The files of `src` that are imported, as paths relative to it. */
const localImports = (path: string, text: string): string[] =>
  imports(text)
    .filter(({ name }) => name.startsWith('.'))
    .map(({ name }) => new URL(name, `file:///${path}`).pathname.slice(1).replace(/\.js$/, '.ts'));

const TIME = ['new Date()', 'Date.now', 'performance.now'];
const CHANCE = ['Math.random', 'randomBytes', 'randomUUID', 'randomInt', 'randomFillSync', 'getRandomValues'];
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];
const OUTSIDE = ['process.env', 'process.exit', 'fetch', 'console'];

const impurities = (file: SourceFile): string[] => uses(file, [...TIME, ...CHANCE, ...TIMERS, ...OUTSIDE]);

/** Time and chance come from providers alone, and only the poller and the network wait. */
function elsewhere(file: SourceFile): string[] {
  const { path } = file;
  if (/^platform\/[^/]+\.provider\.ts$/.test(path)) return [];
  const waits = ['platform/poller.service.ts'].includes(path);
  return uses(file, [...TIME, ...CHANCE, ...(waits ? [] : TIMERS), 'process.env', 'fetch']);
}

/** Which of the named things the code mentions; comments, strings and property names do not count. */
function uses({ text }: SourceFile, names: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      found.add('new Date()');
    if (ts.isPropertyAccessExpression(node)) found.add(`${node.expression.getText()}.${node.name.text}`);
    if (ts.isIdentifier(node) && !isName(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(parse(text));
  return names.filter((name) => found.has(name));
}

/** Whether the identifier names a member, instead of standing for a value. Chance counts under every name it is reached by. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node && !CHANCE.includes(node.text);
  return (
    (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}

const parse = (text: string): ts.SourceFile => ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
