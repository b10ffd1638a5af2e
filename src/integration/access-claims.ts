import { z } from 'zod';
import { type OcmAddress, ocmAddress } from '../kernel/address.js';

const line = z.string().min(1).max(2000);
const address = z.string().transform((text, ctx): OcmAddress => {
  try {
    return ocmAddress(text);
  } catch {
    ctx.addIssue({ code: 'custom', message: 'not an OCM Address' });
    return z.NEVER;
  }
});
const timestamp = z.number().int().nonnegative().max(253_402_300_799);

/** What a token says of the group: OCM has no claim for it, so this one is ours. */
const group = z.object({
  address,
  epoch: z.number().int().nonnegative(),
  recipient: line,
  members: z.array(address).min(1).max(10_000),
  member: address.optional(),
});

/** Share data inside a token; unknown members are ignored. OCM-IP, The ocm_ip Claim */
const share = z.object({
  providerId: line,
  resourceType: line,
  shareType: line.optional(),
  name: line.optional(),
  expiration: timestamp.optional(),
  protocol: z.object({
    webdav: z.object({ uri: line, permissions: z.array(line).max(20) }).optional(),
  }),
});

/** The claims this server needs; `iss`, `sub`, `aud`, `exp` and `client_id` are mandatory. OCM-IP, Token Verification */
export const accessClaims = z.object({
  iss: line,
  sub: line,
  aud: z.union([address, z.array(address).length(1)]).transform((aud) => (Array.isArray(aud) ? aud[0]! : aud)),
  exp: timestamp,
  client_id: z.string().min(1),
  iat: timestamp.optional(),
  nbf: timestamp.optional(),
  groups: z.array(z.string()).max(1000).optional(),
  ocm_group: group.optional(),
  ocm_ip: share.optional(),
});

/** Only who asks for a key may be read before the signature was checked. */
export const issuerClaim = z.object({ iss: line });
