/**
 * How a protocol server shows who it is: by an HTTP Message Signature of its host (OCM-IP, Token Introspection), or, since
 * off-the-shelf resource servers sign no requests, by a secret (RFC 6749 section 2.3.1). D-24a
 */
export const PAIRING_METHODS = ['signature', 'client_secret_basic'] as const;
export type PairingMethod = (typeof PAIRING_METHODS)[number];

/** A protocol server that may ask about tokens. OCM-IP, Pairing */
export interface Pairing {
  /** With signatures its host. */
  readonly clientId: string;
  readonly method: PairingMethod;
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
