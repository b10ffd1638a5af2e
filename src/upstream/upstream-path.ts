import { Fault } from '../kernel/fault.js';

/** Where our own endPoint begins, in the path of a request. */
export const OUR_END_POINT = '/ocm';

/**
 * The path and query at the file platform of a request below our endPoint.
 * @param endPoint the path of the platform's own, without a slash at the end
 * @param url as in the request line. Throws `request.malformed` when it could lead out of the endPoint, as whoever reads
 *   it may understand it
 */
export function upstreamPath(endPoint: string, url: string): string {
  if (!isBelow(OUR_END_POINT, url)) throw new Fault('request.malformed', { reason: 'the path is not plain' });
  return endPoint + url.slice(OUR_END_POINT.length);
}

/**
 * Whether a path and query stay below an endPoint, however whoever reads them may understand them.
 * @param endPoint a path without a slash at the end
 */
export function isBelow(endPoint: string, url: string): boolean {
  const [path = ''] = url.slice(endPoint.length).split('?', 1);
  return url.startsWith(`${endPoint}/`) && !url.includes('#') && !climbs(path);
}

/** The path of another place of the file platform, with the query of a request. */
export function withQuery(place: string, url: string): string {
  const at = url.indexOf('?');
  if (at < 0) return place;
  return `${place}${place.includes('?') ? '&' : '?'}${url.slice(at + 1)}`;
}

const ENCODED: Readonly<Record<string, string>> = { '25': '%', '2e': '.', '2f': '/', '5c': '\\', '3b': ';' };

/** Servers differ in how often they decode, and some take what follows a ";" for a parameter. RFC 3986 section 3.3 */
function climbs(path: string): boolean {
  let read = path;
  for (let before = ''; before !== read;) {
    before = read;
    read = read.replace(/%(25|2e|2f|5c|3b)/gi, (_, code: string) => ENCODED[code.toLowerCase()]!);
  }
  return /\\|\/\/|(?:^|\/)\.{1,2}(?:[/;]|$)/.test(read);
}
