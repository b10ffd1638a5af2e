import { type Host, host, hostOf, identifierOf, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';

/** How a protocol server comes to know of a share. OCM-IP, Integration Modes */
export type Mode = 'self-contained' | 'provisioned' | 'introspected';

/**
 * An OCM server that is believed, and in which ways. Names and modes are all there is to configure: no secret is exchanged.
 * OCM-IP, Pairing, I-008
 */
export interface Pairing {
  readonly domain: string;
  readonly modes: readonly Mode[];
}

/** Host names have one spelling: lower case, and the port only where it is not that of https. OCM-IP, Identity Binding */
export const canonicalHost = (text: string): Host => host(text.replace(/:443$/, ''));

/** The identifier stays as it is, byte for byte. OCM-IP, Identity Binding */
export const canonicalAddress = (address: OcmAddress): string =>
  `${identifierOf(address)}@${canonicalHost(hostOf(address))}`;

/**
 * The pairings of a protocol server, with any combination of modes for each domain (I-002). An empty list refuses
 * everybody. OCM-IP, Pairing, I-009
 */
export class AllowList {
  private readonly modes = new Map<Host, ReadonlySet<Mode>>();

  /** Throws `config.wrong` when a domain is listed twice, or several are introspected: a secret does not say whose it is. */
  constructor(pairings: readonly Pairing[]) {
    for (const { domain, modes } of pairings) {
      const name = canonicalHost(domain);
      if (this.modes.has(name)) throw new Fault('config.wrong', { pairing: name, what: 'listed twice' });
      this.modes.set(name, new Set(modes));
    }
    const asked = [...this.modes.keys()].filter((name) => this.allows(name, 'introspected'));
    if (asked.length > 1) throw new Fault('config.wrong', { pairings: asked, what: 'more than one is introspected' });
  }

  has(domain: Host): boolean {
    return this.modes.has(domain);
  }

  allows(domain: Host, mode: Mode): boolean {
    return this.modes.get(domain)?.has(mode) ?? false;
  }

  /** The one domain that is asked about credentials. */
  get introspected(): Host | undefined {
    return [...this.modes.keys()].find((domain) => this.allows(domain, 'introspected'));
  }
}
