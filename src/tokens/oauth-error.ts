import { type FaultCode, isFault } from '../kernel/fault.js';

/** The five codes that OCM core knows, and two of RFC 6749 section 4.1.2.1 for troubles of our own. */
type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'server_error'
  | 'temporarily_unavailable';

export interface OAuthError {
  readonly status: number;
  readonly error: OAuthErrorCode;
  readonly description?: string;
}

const clientFault = (code: FaultCode) => code === 'token.other-client' || code.startsWith('signature.');

/**
 * How the token endpoint words an error. OCM core, Code Flow: HTTP 400 and an OAuth code; what cannot be authenticated
 * is `invalid_client`. Why a grant was refused stays in the log: outside they all look the same.
 */
export function oauthError(error: unknown): OAuthError {
  if (!isFault(error)) return { status: 500, error: 'server_error' };
  const { code, status, retry } = error;
  if (code.startsWith('grant.')) return { status: 400, error: 'invalid_grant' };
  if (code === 'token.grant-type') return { status: 400, error: 'unsupported_grant_type' };
  if (code === 'token.too-large') {
    return { status: 400, error: 'invalid_request', description: 'too many members: bind the token with "member"' };
  }
  if (code === 'introspection.stranger') return { status, error: 'invalid_client' };
  if (status === 429) return { status, error: 'temporarily_unavailable' };
  if (retry || status >= 500)
    return { status: retry ? 503 : 500, error: retry ? 'temporarily_unavailable' : 'server_error' };
  return { status: 400, error: clientFault(code) ? 'invalid_client' : 'invalid_request' };
}
