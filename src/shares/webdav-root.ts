import type { Host } from '../kernel/address.js';
import { type Discovery, WEBDAV_PREFIX } from '../ocm/discovery.js';

const under = (origin: string, prefix: string): string => new URL(prefix.replace(/\/*$/, '/'), origin).href;

/** Where relative URIs of our own shares are found. OCM core section 8 */
export const ownWebdavRoot = (publicUrl: string, domain: Host): string =>
  under(`${new URL(publicUrl).protocol}//${domain}`, WEBDAV_PREFIX);

/**
 * The same for another server: its host with the prefix that it names for the type of the resource, or else for its first
 * type. OCM core section 8, notes, item 7
 */
export function webdavRoot(from: Host, { endPoint, resourceTypes }: Discovery, type: string): string {
  const named = resourceTypes.find(({ name }) => name === type)?.protocols['webdav'];
  const prefix = [named, resourceTypes[0]?.protocols['webdav']].find((path) => typeof path === 'string');
  const origin = `${new URL(endPoint).protocol}//${from}`;
  // A prefix is a path; "//elsewhere" would be another host.
  return under(origin, prefix === undefined ? '/' : `/${prefix.replace(/^[/\\]+/, '')}`);
}

/** The URL of a resource; `uri` may be one already. */
export const resourceUrl = (uri: string, root: string): string => new URL(uri, root).href;

const LOOPBACK = /^((.+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether a URI of another server may be handed on: relative, or https (http on this machine), without credentials. */
export function isSafeUri(uri: string): boolean {
  if (!URL.canParse(uri)) return true;
  const { protocol, hostname, username, password } = new URL(uri);
  const safe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  return safe && username === '' && password === '';
}

/**
 * Whether the file platform may name a resource so: safe, and when relative it stays below the root. Without query and
 * fragment, which no WebDAV path has.
 */
export function isResourceUri(uri: string): boolean {
  if (uri === '' || /[?#\\]/.test(uri)) return false;
  if (URL.canParse(uri)) return isSafeUri(uri);
  const root = 'https://root.invalid/webdav/';
  if (uri.startsWith('/') || !URL.canParse(uri, root)) return false;
  const { href } = new URL(uri, root);
  return href.startsWith(root) && href !== root && !/%(?![0-9a-f]{2})|%2f|%5c|%00/i.test(uri);
}
