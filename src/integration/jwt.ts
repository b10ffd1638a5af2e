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

/** RFC 9068 section 4: the full media type is allowed as well. */
const TYPES = ['at+jwt', 'application/at+jwt'];
/** A key comes from the issuer's JWK Set and from nowhere else (RFC 8725 section 3.10); no extension is known here. */
const REFUSED = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

const typed = z.looseObject({ typ: z.string() });
const jose = z.object({ alg: z.string().min(1).max(50), kid: z.string().min(1).max(500) });

/** Whether this is a JWT at all, good or not. What is none may be a secret of an older kind. */
export function isJwt(credential: string): boolean {
  const [header, ...rest] = credential.split('.');
  try {
    return rest.length === 2 && z.looseObject({}).safeParse(json(header!, 'header')).success;
  } catch {
    return false;
  }
}

/** Throws `access.malformed`, `access.type` or `access.header` for what is not an RFC 9068 access token in its outer form. */
export function readJwt(token: string): Jwt {
  const [header, payload, signature, ...more] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new Fault('access.malformed', { what: 'compact form' });
  }
  const { alg, kid } = readHeader(json(header, 'header'));
  return {
    alg,
    kid,
    claims: json(payload, 'claims'),
    signed: utf8(`${header}.${payload}`),
    signature: bytes(signature, 'signature'),
  };
}

function readHeader(header: unknown): z.output<typeof jose> {
  const type = typed.safeParse(header);
  if (!type.success || !TYPES.includes(type.data.typ.toLowerCase())) throw new Fault('access.type');
  const refused = REFUSED.filter((name) => Object.hasOwn(type.data, name));
  if (refused.length > 0) throw new Fault('access.header', { parameters: refused });
  const read = jose.safeParse(header);
  if (!read.success) throw new Fault('access.malformed', { what: read.error.issues.map(({ path }) => path.join('.')) });
  return read.data;
}

/** The parser's own words quote what it read, so they go no further. I-057 */
function json(part: string, what: string): unknown {
  const text = bytes(part, what);
  try {
    return JSON.parse(fromUtf8(text));
  } catch {
    throw new Fault('access.malformed', { what });
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
