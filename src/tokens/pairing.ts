import type { JwkSet } from '../ocm/jwk-set.js';

/**
 * How a protocol server shows who it is when it asks about tokens: by an HTTP Message Signature of its host (OCM-IP, Token
 * Introspection), or, since off-the-shelf resource servers sign no requests, by a secret (RFC 6749 section 2.3.1) or a JWT
 * that it signed (RFC 7523 section 2.2). `none` asks about none. D-24a
 */
export const PAIRING_METHODS = ['none', 'signature', 'client_secret_basic', 'private_key_jwt'] as const;
/** What JWTs of a protocol server may be signed with. */
export const ASSERTION_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'] as const;
export type PairingMethod = (typeof PAIRING_METHODS)[number];

/** A protocol server that serves resources of this server. OCM-IP, Pairing. I-008 */
export interface Pairing {
  /** With signatures its host. */
  readonly clientId: string;
  readonly method: PairingMethod;
  /** Public keys that its JWTs are signed with. */
  readonly jwks?: JwkSet;
  /** Where it is told of shares, without a slash at its end; absent: it is told of none. */
  readonly integrationApi?: string;
  /**
   * Where it issues tokens in the name of this server, for all shares; `jwks` has its keys then, and the secrets of shares are
   * its own. OCM-IP, Delegating the Token Endpoint
   */
  readonly tokenEndPoint?: string;
  readonly createdAt: Date;
}

export interface BasicCredentials {
  readonly clientId: string;
  readonly secret: string;
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
};

/**
 * Reads `Authorization: Basic`; both halves are form-encoded in it (RFC 6749 section 2.3.1). Undefined for any other
 * scheme, and for what is none.
 */
export function basicCredentials(authorization: string | undefined): BasicCredentials | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]{1,2048}={0,2})$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [id, ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const [clientId, secret] = [decoded(id!), decoded(rest.join(':'))];
  return clientId && secret && rest.length > 0 ? { clientId, secret } : undefined;
}
