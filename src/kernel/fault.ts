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
