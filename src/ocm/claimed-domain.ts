import { z } from 'zod';
import { host, hostOf, type Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { addressField, hostField, parseBody } from './wire-body.js';

/** Where a request says which server sends it: a field of its body or, when it has none, the key id. D-08 */
export type ClaimSource = 'senderDomain' | 'sender' | 'client_id' | 'keyid';

/** Our key ids are `<host[:port]>#<name>`, and so must be those of a GET. D-05 */
export function domainOfKeyId(keyId: string): Host | undefined {
  const at = keyId.indexOf('#');
  try {
    return at < 1 || at === keyId.length - 1 ? undefined : host(keyId.slice(0, at));
  } catch {
    return undefined;
  }
}

/** The key id that `Signature-Input` names first, before anything of the field is judged. */
export const namedKeyId = (signatureInput: string | string[] | undefined): string =>
  /;keyid="([^"\\]*)"/.exec([signatureInput].flat().join(', '))?.[1] ?? '';

const bodies = {
  senderDomain: z.object({ senderDomain: hostField }).transform((body) => body.senderDomain),
  sender: z.object({ sender: addressField }).transform((body) => hostOf(body.sender)),
  client_id: z.object({ client_id: hostField }).transform((body) => body.client_id),
};

/**
 * The server that the request claims to be from; whether it is, its key tells. Throws `body.malformed`, or
 * `signature.wrong-domain` when the key id names no server.
 */
export function claimedDomain(source: ClaimSource, body: unknown, keyId: string): Host {
  if (source !== 'keyid') return parseBody<Host>(bodies[source], body);
  const domain = domainOfKeyId(keyId);
  if (domain === undefined) throw new Fault('signature.wrong-domain', { keyId });
  return domain;
}
