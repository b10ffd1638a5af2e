import { Fault } from '../kernel/fault.js';
import { DAV, type Propfind, type PropName } from './multistatus.js';

const TAG = /<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const TEXT = /[^<]+/y;
const XMLNS = /\s+xmlns(?::([\w.-]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const MOST_TAGS = 500;

type Spaces = Readonly<Record<string, string>>;
interface Open {
  readonly tag: string;
  readonly name: PropName;
  readonly spaces: Spaces;
}

const malformed = (what: string) => new Fault('body.malformed', { what });

/**
 * Reads the body of a PROPFIND: as much XML as such bodies need. Declarations, comments, CDATA and entities are refused,
 * so nothing can be expanded. An empty body asks for everything (RFC 4918 section 9.1). Throws `body.malformed`.
 */
export function readPropfind(body: string): Propfind {
  const text = body.replace(/^\ufeff?\s*(<\?xml[^>]*\?>)?\s*/, '').trimEnd();
  if (text === '') return { kind: 'all' };
  const names: PropName[] = [];
  let kind: Propfind['kind'] | undefined;
  for (const { name, depth, parent } of elements(text)) {
    if (depth === 0 && !(name.space === DAV && name.local === 'propfind')) throw malformed('propfind');
    if (depth === 1 && name.space === DAV) kind ??= KINDS[name.local];
    if (depth === 2 && parent?.space === DAV && parent.local === 'prop') names.push(name);
  }
  if (kind === undefined) throw malformed('propfind');
  return kind === 'some' ? { kind, names } : { kind };
}

const KINDS: Readonly<Record<string, Propfind['kind']>> = { allprop: 'all', propname: 'names', prop: 'some' };

/** Every element in the order of the text, with its namespace resolved; checks that tags are closed in order. */
function* elements(text: string): Iterable<{ name: PropName; depth: number; parent?: PropName | undefined }> {
  const open: Open[] = [];
  let seen = 0;
  for (let at = 0; at < text.length;) {
    TEXT.lastIndex = TAG.lastIndex = at;
    const [filler] = TEXT.exec(text) ?? [''];
    at += filler.length;
    if (filler !== '') continue;
    const match = TAG.exec(text);
    if (!match || (open.length === 0 && seen > 0) || ++seen > MOST_TAGS) throw malformed('XML');
    at = TAG.lastIndex;
    const [, closing, tag = '', attributes = '', empty] = match;
    if (closing) {
      if (open.pop()?.tag !== tag) throw malformed('XML');
      continue;
    }
    const spaces = scope(attributes, open.at(-1)?.spaces ?? {});
    const name = resolved(tag, spaces);
    yield { name, depth: open.length, parent: open.at(-1)?.name };
    if (!empty) open.push({ tag, name, spaces });
  }
  if (open.length > 0) throw malformed('XML');
}

function scope(attributes: string, outer: Spaces): Spaces {
  const spaces: Record<string, string> = { ...outer };
  for (const [, prefix = '', double, single] of attributes.matchAll(XMLNS)) spaces[prefix] = double ?? single ?? '';
  return spaces;
}

function resolved(tag: string, spaces: Spaces): PropName {
  const [prefix, local] = tag.includes(':') ? (tag.split(':') as [string, string]) : ['', tag];
  const space = Object.hasOwn(spaces, prefix) ? spaces[prefix]! : '';
  if (prefix !== '' && space === '') throw malformed('namespace');
  return { space, local };
}
