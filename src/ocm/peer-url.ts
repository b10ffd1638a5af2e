import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { isAddress, isListed, isLocalName, mayConnect, type AddressPolicy } from './public-ip.js';

const LONGEST_URL = 2048;

/** Where another server is found: HTTPS, and plain HTTP among the servers of one machine only. OCM core section 3.1 */
export const originOf = (peer: Host, policy: AddressPolicy): string =>
  `${policy === 'loopback-development' ? 'http' : 'https'}://${peer}`;

/**
 * A URL that another server names for us to ask. What its name resolves to is judged once more when the connection is
 * made; here it is judged what can be told from the text. Throws `peer.url-refused`.
 */
export function peerUrl(text: string, policy: AddressPolicy): URL {
  const url = plainUrl(text);
  const plain = policy === 'loopback-development' && url.protocol === 'http:';
  if (url.protocol !== 'https:' && !plain) throw refused(text, 'not https');
  const refusedAddress = isAddress(url.hostname) && !mayConnect(url.hostname, policy);
  if (refusedAddress || (policy === 'public-only' && isLocalName(url.hostname))) throw refused(text, 'address');
  return url;
}

/**
 * A URL that was configured here, or over the API: what the operator listed as private (`COVEY_PRIVATE_TARGETS`) may be
 * asked too, and by plain HTTP. Throws `peer.url-refused`.
 */
export function configuredUrl(text: string, policy: AddressPolicy, targets: readonly string[]): URL {
  const url = plainUrl(text);
  const { hostname, protocol } = url;
  const listed = isAddress(hostname) ? isListed(hostname, hostname, targets) : targets.includes(hostname.toLowerCase());
  return listed && /^https?:$/.test(protocol) ? url : peerUrl(text, policy);
}

function plainUrl(text: string): URL {
  if (text.length > LONGEST_URL || !URL.canParse(text)) throw refused(text, 'not an absolute URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hash !== '') throw refused(text, 'credentials or fragment');
  return url;
}

const refused = (text: string, reason: string) => new Fault('peer.url-refused', { url: text.slice(0, 300), reason });
