import ipaddr from 'ipaddr.js';
import type { Brand } from './brand.js';
import { Fault } from './fault.js';

/** A host with its port as it is compared: one name for everything that leads to the same server. */
export type ProviderKey = Brand<string, 'ProviderKey'>;

/** Which providers an entry of a list means. A port is only there when it is not that of HTTPS. */
export interface ProviderPattern {
  /** As it is stored and shown: lower case, names in ASCII. */
  readonly text: string;
  /** `exact` is one host, `below` all names under a domain at any depth but not itself, `any` everybody. */
  readonly kind: 'exact' | 'below' | 'any';
  readonly name: string;
  /** A number, `*` for every port, or nothing. */
  readonly port: string;
}

interface Parts {
  readonly name: string;
  readonly port: string;
}

const LONGEST = 300;
const LABELS = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/;

/**
 * As a URL has it, so that case, dots at the end, names in Unicode, other ways to write an address, and the usual port make
 * no difference. What no URL can hold is compared as it is written.
 */
function partsOf(text: string): Parts {
  const lower = text.toLowerCase();
  if (!URL.canParse(`https://${lower}`)) {
    const [, name = lower, port = ''] = /^(.*?)(?::([0-9]+))?$/s.exec(lower) ?? [];
    return { name: withoutDot(name), port: port === '443' ? '' : port };
  }
  const { hostname, port } = new URL(`https://${lower}`);
  return { name: addressOr(withoutDot(hostname)), port };
}

const withoutDot = (name: string): string => name.replace(/\.$/, '');

/** An IPv4 address that is written as one of IPv6 is the same machine. RFC 4291 section 2.5.5.2 */
function addressOr(name: string): string {
  const bare = name.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(bare)) return name;
  const address = ipaddr.process(bare);
  return address.kind() === 'ipv4' ? address.toString() : `[${address.toString()}]`;
}

const isAddress = (name: string): boolean => ipaddr.isValid(name.replace(/^\[|\]$/g, ''));

/** Under which name decisions about a host are kept. */
export function providerKey(host: string): ProviderKey {
  const { name, port } = partsOf(host);
  return (port === '' ? name : `${name}:${port}`) as ProviderKey;
}

/**
 * Reads `cloud.example.org`, `cloud.example.org:8443`, `*.example.org`, `192.0.2.1`, `[2001:db8::1]`, or `*`; behind each
 * may stand a port, or `:*` for every port. Throws `trust.pattern-malformed`.
 */
export function providerPattern(text: string): ProviderPattern {
  const refuse = (reason: string) => new Fault('trust.pattern-malformed', { pattern: text.slice(0, LONGEST), reason });
  if (text.length === 0 || text.length > LONGEST) throw refuse('length');
  const everyPort = text.endsWith(':*');
  const rest = everyPort ? text.slice(0, -2) : text;
  if (rest === '*') return { text: '*', kind: 'any', name: '', port: '*' };
  const below = rest.startsWith('*.');
  const host = below ? rest.slice(2) : rest;
  if (/[*/@?#\\%\s\p{Cc}]/u.test(host)) throw refuse('characters');
  if (!URL.canParse(`https://${host}`)) throw refuse('no host');
  const parts = partsOf(host);
  if (!isAddress(parts.name) && !(parts.name.length <= 253 && LABELS.test(parts.name))) throw refuse('no host');
  if (below && isAddress(parts.name)) throw refuse('nothing is below an address');
  if (everyPort && parts.port !== '') throw refuse('two ports');
  const port = everyPort ? '*' : parts.port;
  const shown = `${below ? '*.' : ''}${parts.name}${port === '' ? '' : `:${port}`}`;
  return { text: shown, kind: below ? 'below' : 'exact', name: parts.name, port };
}

/**
 * Whether the pattern means this host. Without a port a pattern that denies means every port, and one that allows that of
 * HTTPS only: another port is another server, and nobody is let in by what was not said.
 */
export function matches({ kind, name, port }: ProviderPattern, effect: 'allow' | 'deny', host: string): boolean {
  if (kind === 'any') return true;
  const parts = partsOf(host);
  const everyPort = port === '*' || (port === '' && effect === 'deny');
  if (!everyPort && parts.port !== port) return false;
  if (kind === 'exact') return parts.name === name;
  return !isAddress(parts.name) && parts.name.endsWith(`.${name}`);
}
