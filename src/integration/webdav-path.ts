import { Fault } from '../kernel/fault.js';

/** The names on the way from the root of a WebDAV tree, decoded. */
export type Path = readonly string[];

/**
 * From a URL, or a relative reference to the root, to the path it names. The URL parser has resolved dots by then; what
 * could still climb or split a name is refused. Throws `access.scope` for what is not below `root`.
 */
export function pathOf(reference: string, root: URL): Path {
  const base = root.href.endsWith('/') ? root.href : `${root.href}/`;
  const url = URL.canParse(reference, base) ? new URL(reference, base) : undefined;
  const start = new URL(base).pathname;
  if (!url || url.origin !== root.origin || !`${url.pathname}/`.startsWith(start)) throw outside(reference);
  const names = url.pathname
    .slice(start.length)
    .split('/')
    .filter((name) => name !== '')
    .map((name) => decoded(name, reference));
  if (names.some((name) => name === '.' || name === '..' || /[/\\\0]/.test(name))) throw outside(reference);
  return names;
}

function decoded(name: string, reference: string): string {
  try {
    return decodeURIComponent(name);
  } catch (cause) {
    throw outside(reference, cause);
  }
}

/** Without its query, where somebody may have put a token. OCM-IP, Secret Handling, I-057 */
const outside = (reference: string, cause?: unknown) =>
  new Fault('access.scope', { reference: reference.split('?', 1)[0]!.slice(0, 300) }, cause);

/** Whether `path` is `share` itself or, when that is a folder, below it. OCM core, Resource Access */
export const isWithin = (path: Path, share: Path, folder: boolean): boolean =>
  (folder ? path.length >= share.length : path.length === share.length) &&
  share.length > 0 &&
  share.every((name, at) => name === path[at]);

/** A path as it stands in a URL; the names of folders end with "/". */
export const hrefOf = (root: URL, path: Path, folder: boolean): string => {
  const start = root.pathname.replace(/\/+$/, '');
  const names = path.map((name) => `/${encodeURIComponent(name)}`).join('');
  return `${start}${names}${folder ? '/' : ''}`;
};
