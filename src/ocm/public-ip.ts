import ipaddr from 'ipaddr.js';

/**
 * Which addresses may be connected to. `public-only`: what is routed in the public Internet. `loopback-development`:
 * this machine and nothing else, for servers that talk plain HTTP to each other on one machine.
 */
export type AddressPolicy = 'public-only' | 'loopback-development';

export const addressPolicy = ({ development }: { readonly development: boolean }): AddressPolicy =>
  development ? 'loopback-development' : 'public-only';

const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** An IPv4 address in the clothes of IPv6 is judged as what it is. RFC 4291 section 2.5.5.2, RFC 6052 section 2.1 */
function bare(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!(address instanceof ipaddr.IPv6)) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (address.match(NAT64)) return new ipaddr.IPv4(address.toByteArray().slice(12));
  return address;
}

/** Judges an address as the operating system writes it, such as the one a socket is connected to. */
export function mayConnect(address: string, policy: AddressPolicy): boolean {
  const text = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!ipaddr.isValid(text)) return false;
  const judged = bare(ipaddr.parse(text));
  if (policy === 'loopback-development') return judged.range() === 'loopback';
  const global = !(judged instanceof ipaddr.IPv6) || judged.match(GLOBAL_UNICAST);
  return global && judged.range() === 'unicast';
}

/**
 * Whether the host of a URL is an address and no name. `hostname` must come from a URL: that has already turned
 * `2130706433`, `0x7f.1` and the like into the address that they mean.
 */
export const isAddress = (hostname: string): boolean => ipaddr.isValid(hostname.replace(/^\[|\]$/g, ''));

/** `localhost` and what is below it always mean this machine. RFC 6761 section 6.3 */
export const isLocalName = (hostname: string): boolean => /^(.+\.)?localhost\.?$/i.test(hostname);

/** Networks that are nobody's in the Internet. */
const PRIVATE = ['private', 'uniqueLocal', 'carrierGradeNat'];
/** This machine, and what only this link knows, such as the metadata service of a cloud. */
const NEAREST = ['loopback', 'linkLocal'];

/**
 * Whether an address may be connected to because the operator listed it (`COVEY_PRIVATE_TARGETS`): private addresses by
 * their range or by the name that they were reached by; loopback and link-local ones only when listed as they are. What is
 * neither is never reached by this.
 * @param hostname of the URL
 */
export function isListed(address: string, hostname: string, targets: readonly string[]): boolean {
  const text = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!ipaddr.isValid(text)) return false;
  const judged = bare(ipaddr.parse(text));
  const exact = (target: string) => target === `${judged.toString()}/${judged.kind() === 'ipv4' ? 32 : 128}`;
  if (NEAREST.includes(judged.range())) return targets.some(exact);
  if (!PRIVATE.includes(judged.range())) return false;
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return targets.some((target) => (target.includes('/') ? within(judged, target) : target === name));
}

function within(address: ipaddr.IPv4 | ipaddr.IPv6, range: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(range);
  return network.kind() === address.kind() && address.match(network, bits);
}
