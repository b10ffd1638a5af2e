import type { Brand } from './brand.js';
import { Fault } from './fault.js';

/** `identifier@host[:port]`, the host in lower case. The identifier is opaque and case-sensitive. OCM core, Terms */
export type OcmAddress = Brand<string, 'OcmAddress'>;

/** `host[:port]` in lower case: the name of an OCM server, and where its discovery document is. */
export type Host = Brand<string, 'Host'>;

const NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/;
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;
const LONGEST_ADDRESS = 512;

/** Parses `host[:port]`; an IPv6 literal stands in brackets. Throws `host.malformed`. */
export function host(text: string): Host {
  const lower = text.toLowerCase();
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(lower) ?? [];
  const named = name.length <= 253 && (NAME.test(name) || IPV6.test(name));
  const ported = port === undefined || (Number(port) > 0 && Number(port) < 65536 && !port.startsWith('0'));
  if (!named || !ported) throw new Fault('host.malformed', { text: text.slice(0, 300) });
  return lower as Host;
}

/** Parses an OCM Address. The last "@" separates: an identifier may contain one itself. Throws `address.malformed`. */
export function ocmAddress(text: string): OcmAddress {
  const at = text.lastIndexOf('@');
  const identifier = text.slice(0, at);
  // Unpaired surrogates and control characters have no UTF-8 form or no business in a log line.
  const legible = text.isWellFormed() && !/\p{Cc}/u.test(text);
  if (at < 1 || text.length > LONGEST_ADDRESS || !legible) {
    throw new Fault('address.malformed', { text: text.slice(0, 300).toWellFormed() });
  }
  try {
    return `${identifier}@${host(text.slice(at + 1))}` as OcmAddress;
  } catch (cause) {
    throw new Fault('address.malformed', { text: text.slice(0, 300) }, cause);
  }
}

/** The home server of an address: everything behind the last "@". */
export const hostOf = (address: OcmAddress): Host => address.slice(address.lastIndexOf('@') + 1) as Host;

/** The part before the last "@". */
export const identifierOf = (address: OcmAddress): string => address.slice(0, address.lastIndexOf('@'));
