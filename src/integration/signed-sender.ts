import { z } from 'zod';
import { type Host, hostOf } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { domainOfKeyId } from '../ocm/claimed-domain.js';
import { readRequest, replayableUntil, verifyClaim } from '../ocm/http-signature.js';
import { verificationKey } from '../ocm/jwk-set.js';
import type { RequestHead } from '../ocm/message-signature.js';
import { addressField, parseBody } from '../ocm/wire-body.js';
import { type AllowList, canonicalHost } from './allow-list.js';
import type { IssuerKeys } from './issuer-keys.js';

export interface Trust {
  readonly pairings: AllowList;
  readonly keys: Pick<IssuerKeys, 'of'>;
  readonly now: () => Date;
  readonly plainHttp?: boolean;
}

/** Who sent a request, and when it was signed. */
export interface Proof {
  readonly domain: Host;
  readonly said: Date;
  /** Until when the same request could be shown again. */
  readonly until: Date;
}

const named = z.object({ sender: addressField });

/**
 * The OCM server that sent a request of the Integration API, in the order of the document: whom it names (I-013), whether
 * that one is paired, before anything is fetched (I-014), and whether it signed (I-015). The signature is that of OCM core:
 * known by its tag, whatever the label; `date` may be covered and need not be. OCM-IP, Integration API
 * Throws `body.malformed`, `provision.unpaired` or `signature.*`.
 */
export async function provedSender(head: RequestHead, body: Uint8Array, json: unknown, trust: Trust): Promise<Proof> {
  const { sender } = parseBody(named, json);
  const domain = canonicalHost(hostOf(sender));
  if (!trust.pairings.allows(domain, 'provisioned')) throw new Fault('provision.unpaired', { domain });
  const claim = readRequest(head, body, { now: trust.now() });
  const { keyId } = claim;
  const signer = domainOfKeyId(keyId);
  if (signer === undefined || canonicalHost(signer) !== domain) {
    throw new Fault('signature.wrong-domain', { domain, keyId });
  }
  await verifyClaim(head, claim, await keyOf(domain, keyId, trust));
  return { domain, said: claim.created, until: replayableUntil(claim) };
}

async function keyOf(domain: Host, keyId: string, { keys, plainHttp }: Trust) {
  try {
    return verificationKey(await keys.of(`${plainHttp ? 'http' : 'https'}://${domain}`, keyId), keyId);
  } catch (error) {
    if (!isFault(error, 'access.issuer-unavailable')) throw error;
    throw new Fault('signature.key-unavailable', { domain }, error);
  }
}
