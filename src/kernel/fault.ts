/**
 * The one catalogue of errors. A code means the same in logs, answers, metrics and tests.
 * `status` is the HTTP status of the answer; `retry` says that the same request may succeed later without change;
 * `says` is for people.
 */
export const FAULTS = {
  // kernel
  'address.malformed': { status: 400, retry: false, says: 'not an OCM Address' },
  'host.malformed': { status: 400, retry: false, says: 'not a host with an optional port' },
  'base64url.malformed': { status: 400, retry: false, says: 'not base64url' },
  'codec.malformed': { status: 400, retry: false, says: 'the bytes are not what they should encode' },
  'body.malformed': { status: 400, retry: false, says: 'the body does not have the required shape' },
  'body.too-large': { status: 413, retry: false, says: 'the body is larger than accepted here' },
  // platform
  'config.wrong': { status: 500, retry: false, says: 'the configuration is wrong' },
  'data-folder.taken': { status: 500, retry: false, says: 'another process uses the data folder' },
  'migration.changed': { status: 500, retry: false, says: 'the schema of the database is not one this version can serve' },
  'transaction.nested': { status: 500, retry: false, says: 'a transaction was opened within another' },
  'database.unavailable': { status: 503, retry: true, says: 'the database cannot be reached now' },
  'api-key.missing': { status: 401, retry: false, says: 'an API key is needed' },
  'api-key.unknown': { status: 401, retry: false, says: 'no such API key, or it was revoked' },
  'idempotency.reused': { status: 422, retry: false, says: 'this Idempotency-Key was used for another request' },
  'vault.sealed-otherwise': { status: 500, retry: false, says: 'sealed data does not open with the configured key' },
  'idempotency.malformed': { status: 400, retry: false, says: 'the Idempotency-Key is not 1 to 200 visible characters' },
  'vault.key-malformed': { status: 500, retry: false, says: 'the sealing key is not 32 bytes in base64url' },
  'body.too-deep': { status: 400, retry: false, says: 'the body is nested deeper than accepted here' },
  'media-type.unsupported': { status: 415, retry: false, says: 'this media type is not understood here' },
  'method.not-allowed': { status: 405, retry: false, says: 'this method is not understood here' },
  'request.malformed': { status: 400, retry: false, says: 'the request cannot be understood' },
  'request.misdirected': { status: 421, retry: false, says: 'this server does not answer for that host' },
  'not-found': { status: 404, retry: false, says: 'there is no such thing here' },
  // network
  'peer.unreachable': { status: 502, retry: true, says: 'the other server cannot be reached' },
  'peer.timeout': { status: 504, retry: true, says: 'the other server did not answer in time' },
  'peer.answer-too-large': { status: 502, retry: false, says: 'the other server answered with more than accepted' },
  'peer.address-refused': { status: 403, retry: false, says: 'that address may not be connected to' },
  // tokens
  'token.request-malformed': { status: 400, retry: false, says: 'not a token request' },
  'token.grant-type': { status: 400, retry: false, says: 'only the grant type authorization_code is known' },
  'token.other-client': { status: 400, retry: false, says: 'client_id is not the server that signed' },
  'token.too-large': { status: 400, retry: false, says: 'the members do not fit into a token' },
  'grant.unknown': { status: 400, retry: false, says: 'no such secret' },
  'grant.other-server': { status: 400, retry: false, says: 'the secret belongs to another server' },
  'grant.revoked': { status: 400, retry: false, says: 'the secret was revoked' },
  'grant.expired': { status: 400, retry: false, says: 'the share has expired' },
  'grant.group-gone': { status: 400, retry: false, says: 'the group is not held here any more' },
  'grant.sender-gone': { status: 400, retry: false, says: 'the sender is no longer a member of the group' },
  'grant.server-gone': { status: 400, retry: false, says: 'the asking server has no member in the group' },
  'grant.member-unknown': { status: 400, retry: false, says: 'not a member of the group on the asking server' },
  // integration
  'access.malformed': { status: 401, retry: false, says: 'not an access token' },
  'access.issuer': { status: 401, retry: false, says: 'the issuer is not one that is trusted here' },
  'access.key': { status: 401, retry: false, says: 'the issuer publishes no such key' },
  'access.signature': { status: 401, retry: false, says: 'the signature does not hold' },
  'access.expired': { status: 401, retry: false, says: 'the token is not valid at this time' },
  'access.claims': { status: 401, retry: false, says: 'the token lacks what it must say' },
  'access.scope': { status: 403, retry: false, says: 'the token does not open this' },
  'access.issuer-unavailable': { status: 503, retry: true, says: 'the keys of the issuer cannot be read now' },
  // shares
  'share.unknown': { status: 404, retry: false, says: 'there is no such share' },
  'share.changed': { status: 409, retry: false, says: 'this providerId was announced before, with other content' },
  'share.type-unsupported': { status: 501, retry: false, says: 'shares of this type are not taken here' },
  'share.encryption-unsupported': { status: 501, retry: false, says: 'encrypted shares are not taken here' },
  'share.protocol-unsupported': { status: 501, retry: false, says: 'no protocol of the share is usable here' },
  'share.expired': { status: 400, retry: false, says: 'the share has already expired' },
  'share.sender-not-member': { status: 403, retry: false, says: 'the sender is not a member of the group' },
  'share.sender-foreign': { status: 422, retry: false, says: 'sender and owner must be users of this server' },
  'share.queue-full': { status: 503, retry: true, says: 'too many shares of this server wait for their group' },
  'share.not-recipient': { status: 403, retry: false, says: 'not a member of the group on this server' },
  'share.token-refused': { status: 502, retry: false, says: 'the sending server refused to issue a token' },
  // membership
  'member.unknown': { status: 404, retry: false, says: 'not a member of the group' },
  'user.foreign': { status: 422, retry: false, says: 'not an address of this server' },
  internal: { status: 500, retry: false, says: 'something broke in this server' },
} as const satisfies Record<string, { status: number; retry: boolean; says: string }>;

export type FaultCode = keyof typeof FAULTS;

/** A violation. `facts` go to the log and, for callers of our own API, into the answer: never put secrets there. */
export class Fault extends Error {
  override readonly name = 'Fault';

  constructor(
    readonly code: FaultCode,
    readonly facts: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(`${code}: ${FAULTS[code].says}`, cause === undefined ? {} : { cause });
  }

  get status(): number {
    return FAULTS[this.code].status;
  }

  get retry(): boolean {
    return FAULTS[this.code].retry;
  }
}

export const isFault = (error: unknown, code?: FaultCode): error is Fault =>
  error instanceof Fault && (code === undefined || error.code === code);
