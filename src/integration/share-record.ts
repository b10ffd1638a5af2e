import { z } from 'zod';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { addressField, identifierField, parseBody, textField } from '../ocm/wire-body.js';
import { canonicalAddress, canonicalHost } from './allow-list.js';
import type { VerifiedClaims } from './access-claims.js';
import { type IntendedProtocol, intendedProtocol, settledProtocol, type SharedData, timestamp } from './shared-data.js';
import { withoutSecrets } from '../ocm/share-protocol.js';

/** A share as its OCM server intends to announce it, without secrets. OCM-IP, Share Creation Request */
export interface IntendedShare extends Omit<SharedData, 'protocol'> {
  /** The paired server; with `providerId` the key of the record. */
  readonly domain: Host;
  readonly owner: OcmAddress;
  readonly sender: OcmAddress;
  readonly shareWith: OcmAddress;
  readonly shareType: string;
  readonly protocol: IntendedProtocol;
}

/** The same with all that is needed to serve it. */
export interface ShareRecord extends Omit<IntendedShare, 'protocol'> {
  readonly protocol: SharedData['protocol'];
}

const name = textField();
const body = z.object({
  sender: addressField,
  owner: addressField,
  shareWith: addressField,
  providerId: identifierField,
  shareType: identifierField,
  resourceType: identifierField,
  protocol: intendedProtocol,
  name: name.optional(),
  expiration: timestamp.optional(),
});

const malformed = (path: string, message: string) => new Fault('body.malformed', { errors: [{ path, message }] });

/**
 * Reads a provisioning request whose signer was proved to be `domain`; members that are not known are ignored. No token
 * could ever open a share whose owner is at another server, so that is refused before it is announced.
 * OCM-IP, Share Creation Request, I-019. Throws `body.malformed`.
 */
export function readIntendedShare(json: unknown, domain: Host): IntendedShare {
  const read = parseBody(body, json);
  if (canonicalHost(hostOf(read.owner)) !== domain) throw malformed('owner', 'NOT_OF_SENDER');
  return { ...read, domain };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The record of a share, with what was allocated for it: of each entry the details, never the permissions, which are the
 * OCM server's to give. Throws `body.malformed` when neither side says where the share is.
 */
export function settled(intended: IntendedShare, allocated: unknown = {}): ShareRecord {
  const given = withoutSecrets(allocated);
  const entries = Object.entries(intended.protocol).map(([name, entry]): [string, unknown] => {
    const details = isObject(given) ? given[name] : undefined;
    if (!isObject(entry) || !isObject(details)) return [name, entry];
    return [name, { ...entry, ...details, permissions: entry['permissions'] }];
  });
  const protocol = settledProtocol.safeParse(Object.fromEntries(entries));
  if (!protocol.success) throw malformed('protocol.webdav.uri', 'REQUIRED');
  return { ...intended, protocol: protocol.data };
}

/**
 * Holds the parties that a token names against the record it leads to: `<sub>@<iss-host>` is the owner and `aud` whom it
 * is shared with, identifiers byte for byte, hosts in their one spelling. OCM-IP, Identity Binding, I-050
 * Throws `access.owner` or `access.audience`.
 */
export function bind(record: ShareRecord, issuer: Host, { sub, aud }: VerifiedClaims): void {
  const { domain, providerId } = record;
  if (`${sub}@${issuer}` !== canonicalAddress(record.owner)) throw new Fault('access.owner', { domain, providerId });
  if (canonicalAddress(aud) !== canonicalAddress(record.shareWith)) {
    throw new Fault('access.audience', { domain, providerId });
  }
}

/** What a record says of the share itself. */
export const dataOf = ({
  providerId,
  resourceType,
  shareType,
  name,
  expiration,
  protocol,
}: ShareRecord): SharedData => ({
  providerId,
  resourceType,
  shareType,
  name,
  expiration,
  protocol,
});
