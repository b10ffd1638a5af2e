import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export type Library = typeof import('ts-mls');

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PATCH = join(ROOT, 'patches', 'ts-mls+1.6.4.patch');

/** Lines of the library that were replaced by others. */
export interface Change {
  readonly file: string;
  /** The defects that the new lines name. */
  readonly defects: readonly number[];
  /** Where the new lines begin, counted from 1. */
  readonly line: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What the patch changes, run by run: lines that stand together belong together. */
export async function patchedLines(): Promise<Change[]> {
  const changes: Change[] = [];
  let file = '';
  let line = 0;
  let added: string[] = [];
  let removed: string[] = [];
  const finish = () => {
    if (added.length + removed.length > 0) {
      const defects = [...new Set([...added.join('\n').matchAll(/defect (\d+)/g)].map(([, number]) => Number(number)))];
      changes.push({ file, defects, line: line - added.length, added, removed });
    }
    [added, removed] = [[], []];
  };
  for (const text of (await readFile(PATCH, 'utf8')).split('\n')) {
    const start = /^@@ -\S+ \+(\d+)/.exec(text);
    const name = /^\+\+\+ b\/node_modules\/ts-mls\/(.+)$/.exec(text);
    if (start || name || text.startsWith('diff ')) finish();
    if (start) line = Number(start[1]);
    else if (name) file = name[1]!;
    else if (/^(---|diff|index|\\)/.test(text)) continue;
    else if (text.startsWith('-')) removed.push(text.slice(1));
    else if (text.startsWith('+')) {
      added.push(text.slice(1));
      line += 1;
    } else {
      finish();
      line += 1;
    }
  }
  finish();
  return changes;
}

/** The file with the given changes taken back. Throws when they are not in it. */
function undo(text: string, changes: readonly Change[]): string {
  const lines = text.split('\n');
  for (const { file, line, added, removed } of [...changes].reverse()) {
    const found = lines.splice(line - 1, added.length, ...removed);
    if (found.join('\n') !== added.join('\n')) throw new Error(`${file}:${line} is not as the patch leaves it`);
  }
  return lines.join('\n');
}

/** Copies of the installed library, each without what mends one defect. They live until the workshop is closed. */
export class Workshop {
  private constructor(private readonly folder: string) {}

  static async open(): Promise<Workshop> {
    return new Workshop(await mkdtemp(join(tmpdir(), 'covey-ts-mls-')));
  }

  async libraryWithout(defect: number): Promise<Library> {
    const modules = join(this.folder, String(defect), 'node_modules');
    const copy = join(modules, 'ts-mls');
    await mkdir(modules, { recursive: true });
    for (const needed of ['@hpke', '@noble']) await symlink(join(ROOT, 'node_modules', needed), join(modules, needed));
    const from = join(ROOT, 'node_modules', 'ts-mls');
    await cp(from, copy, { recursive: true, filter: (path) => !/\.(map|d\.ts|md)$/.test(path) });
    const undone = (await patchedLines()).filter(
      ({ defects, file }) => defects.includes(defect) && file.endsWith('.js'),
    );
    for (const file of new Set(undone.map((change) => change.file))) {
      const patched = await readFile(join(from, file), 'utf8');
      await writeFile(
        join(copy, file),
        undo(
          patched,
          undone.filter((change) => change.file === file),
        ),
      );
    }
    return (await import(pathToFileURL(join(copy, 'dist/src/index.js')).href)) as Library;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
