import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { isAddress, isLocalName, mayConnect, type AddressPolicy } from './public-ip.js';

const LONGEST_URL = 2048;

/** Where another server is found: HTTPS, and plain HTTP among the servers of one machine only. OCM core section 3.1 */
export const originOf = (peer: Host, policy: AddressPolicy): string =>
  `${policy === 'loopback-development' ? 'http' : 'https'}://${peer}`;

/**
 * A URL that another server names for us to ask. What its name resolves to is judged once more when the connection is
 * made; here it is judged what can be told from the text. Throws `peer.url-refused`.
 */
export function peerUrl(text: string, policy: AddressPolicy): URL {
  const refuse = (reason: string) => new Fault('peer.url-refused', { url: text.slice(0, 300), reason });
  if (text.length > LONGEST_URL || !URL.canParse(text)) throw refuse('not an absolute URL');
  const url = new URL(text);
  const plain = policy === 'loopback-development' && url.protocol === 'http:';
  if (url.protocol !== 'https:' && !plain) throw refuse('not https');
  if (url.username !== '' || url.password !== '' || url.hash !== '') throw refuse('credentials or fragment');
  const refusedAddress = isAddress(url.hostname) && !mayConnect(url.hostname, policy);
  if (refusedAddress || (policy === 'public-only' && isLocalName(url.hostname))) throw refuse('address');
  return url;
}
