/** One file or folder as WebDAV shows it. */
export interface DavEntry {
  readonly href: string;
  readonly name: string;
  readonly folder: boolean;
  readonly size: number;
  readonly modified: Date;
  readonly etag: string;
  readonly type: string;
}

/** A property's name: namespace and local part. */
export interface PropName {
  readonly space: string;
  readonly local: string;
}

/** What a PROPFIND asks for. RFC 4918 section 14.20 */
export type Propfind =
  { readonly kind: 'all' | 'names' } | { readonly kind: 'some'; readonly names: readonly PropName[] };

export const DAV = 'DAV:';

const MARKUP: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as XML 1.0 can carry it; what it cannot, such as control characters, is replaced by U+FFFD. */
export const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => MARKUP[character]!)
    .replace(/\r/g, '&#13;');

/** The live properties; a property that does not apply to an entry is absent (RFC 4918 section 15). */
const PROPERTIES: Readonly<Record<string, (entry: DavEntry) => string | undefined>> = {
  displayname: ({ name }) => escaped(name),
  resourcetype: ({ folder }) => (folder ? '<D:collection/>' : ''),
  getcontentlength: ({ folder, size }) => (folder ? undefined : String(size)),
  getcontenttype: ({ folder, type }) => (folder ? undefined : escaped(type)),
  getlastmodified: ({ modified }) => modified.toUTCString(),
  getetag: ({ folder, etag }) => (folder ? undefined : escaped(etag)),
};

const element = (local: string, value: string) =>
  value === '' ? `<D:${local}/>` : `<D:${local}>${value}</D:${local}>`;

const propstat = (properties: readonly string[], status: string) =>
  properties.length === 0
    ? ''
    : `<D:propstat><D:prop>${properties.join('')}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;

/** A prefix cannot stand for "no namespace". Namespaces in XML 1.0, section 5 */
const unknown = ({ space, local }: PropName) =>
  space === '' ? `<${local} xmlns=""/>` : `<p:${local} xmlns:p="${escaped(space)}"/>`;

function stats(entry: DavEntry, wish: Propfind): string {
  const wanted = wish.kind === 'some' ? wish.names : Object.keys(PROPERTIES).map((local) => ({ space: DAV, local }));
  const found: string[] = [];
  const missing: string[] = [];
  for (const { space, local } of wanted) {
    const value = space === DAV && Object.hasOwn(PROPERTIES, local) ? PROPERTIES[local]!(entry) : undefined;
    if (value !== undefined) found.push(element(local, wish.kind === 'names' ? '' : value));
    else if (wish.kind === 'some') missing.push(unknown({ space, local }));
  }
  // A response without any propstat would not be valid; an empty prop is.
  if (found.length + missing.length === 0)
    return '<D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status></D:propstat>';
  return propstat(found, '200 OK') + propstat(missing, '404 Not Found');
}

/** The body of a 207 answer. RFC 4918 section 14.16 */
export function multistatus(entries: readonly DavEntry[], wish: Propfind): string {
  const responses = entries.map(
    (entry) => `<D:response><D:href>${escaped(entry.href)}</D:href>${stats(entry, wish)}</D:response>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>\n`;
}
