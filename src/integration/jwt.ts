import { z } from 'zod';
import { fromBase64url, fromUtf8, utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';

/** A JWT in compact form, split and parsed; nothing in it is to be believed before its signature was checked. */
export interface Jwt {
  readonly alg: string;
  readonly kid: string;
  readonly claims: unknown;
  /** What the signature is over. RFC 7515 section 5.2 */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

const LONGEST = 16_384;
/** RFC 9068 section 4: the full media type is allowed as well. */
const TYPES = ['at+jwt', 'application/at+jwt'];

const jose = z.object({
  alg: z.string().min(1).max(50),
  kid: z.string().min(1).max(500),
  typ: z.string().refine((typ) => TYPES.includes(typ.toLowerCase())),
  // No extension is understood here, and one that is critical must be (RFC 7515 section 4.1.11).
  crit: z.never().optional(),
});

/** Throws `access.malformed` for what is not an RFC 9068 access token in its outer form. */
export function readJwt(token: string): Jwt {
  const [header, payload, signature, ...more] = token.length > LONGEST ? [] : token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new Fault('access.malformed', { what: 'compact form' });
  }
  const head = jose.safeParse(json(header, 'header'));
  if (!head.success) throw new Fault('access.malformed', { what: head.error.issues.map(({ path }) => path.join('.')) });
  return {
    alg: head.data.alg,
    kid: head.data.kid,
    claims: json(payload, 'claims'),
    signed: utf8(`${header}.${payload}`),
    signature: bytes(signature, 'signature'),
  };
}

function json(part: string, what: string): unknown {
  try {
    return JSON.parse(fromUtf8(bytes(part, what)));
  } catch (cause) {
    throw new Fault('access.malformed', { what }, cause);
  }
}

function bytes(part: string, what: string): Uint8Array {
  // A JWS has no padding (RFC 7515 section 2), though base64url elsewhere in OCM may.
  if (part.includes('=')) throw new Fault('access.malformed', { what });
  try {
    return fromBase64url(part);
  } catch (cause) {
    throw new Fault('access.malformed', { what }, cause);
  }
}
