import { z } from 'zod';
import { addressField } from '../ocm/wire-body.js';
import { line, timestamp } from './shared-data.js';

/** What a token says of the group: OCM has no claim for it, so this one is ours. D-23 */
const group = z.object({
  address: addressField,
  epoch: z.number().int().nonnegative(),
  recipient: line,
  members: z.array(addressField).min(1).max(10_000),
  member: addressField.optional(),
});

/** `iss`, `sub`, `aud`, `exp` and `client_id` are mandatory. OCM-IP, Token Verification, I-048 */
export const accessClaims = z.object({
  iss: line,
  sub: line,
  aud: z
    .union([addressField, z.array(addressField).length(1)])
    .transform((aud) => (Array.isArray(aud) ? aud[0]! : aud)),
  exp: timestamp,
  client_id: z.string().min(1),
  iat: timestamp.optional(),
  nbf: timestamp.optional(),
  groups: z.array(z.string()).max(1000).optional(),
  ocm_group: group.optional(),
  // Not read before it is known to count: with a record it is ignored, whatever it holds.
  ocm_ip: z.unknown().optional(),
});

/** An answer names the share by `client_id` when it was provisioned, by `ocm_ip` otherwise. OCM-IP, Token Introspection */
export const introspectedClaims = accessClaims.partial({ client_id: true });
export type VerifiedClaims = z.output<typeof introspectedClaims>;

/** Only who asks for a key may be read before the signature was checked. */
export const issuerClaim = z.object({ iss: line });
