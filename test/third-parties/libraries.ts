import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import type { Fetch } from './doorway.js';
import type { Lab } from './labs.js';

export const ACCEPTED = 'accepted';
export const refused = (how: string): string => `refused: ${how}`;

/** A third party: it is shown a token, and says what it makes of it. */
export type Party = (token: string) => Promise<string>;

/** RFC 8414, with nothing known but the issuer. */
export async function discovered(lab: Lab, fetched: Fetch): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(lab.issuer);
  const options = { algorithm: 'oauth2', [oauth.customFetch]: fetched } as const;
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
}

/** oauth4webapi as a resource server. RFC 9068 section 4, RFC 6750 */
export async function oauth4webapi(lab: Lab, fetched: Fetch): Promise<Party> {
  const server = await discovered(lab, fetched);
  return judged(async (token) => {
    const request = new Request('https://files.test/', { headers: { authorization: `Bearer ${token}` } });
    await oauth.validateJwtAccessToken(server, request, lab.group, { [oauth.customFetch]: fetched });
  });
}

/** openid-client, which asks the server. RFC 7662 */
export async function openidClient(lab: Lab, secret: string, fetched: Fetch): Promise<Party> {
  const config = await configured(lab, secret, fetched);
  return judged(async (token) => {
    const { active, groups } = await openid.tokenIntrospection(config, token);
    if (!active) throw new Refusal('inactive');
    // Nobody but the one who asks knows which group his files are for.
    if (!(groups as unknown as string[]).includes(lab.group)) throw new Refusal('`groups`');
  });
}

export function configured(lab: Lab, secret: string, fetched: Fetch): Promise<openid.Configuration> {
  return openid.discovery(new URL(lab.issuer), 'openid-client', undefined, openid.ClientSecretBasic(secret), {
    algorithm: 'oauth2',
    [openid.customFetch]: fetched,
  });
}

/** jose, with the keys where the metadata says that they are. */
export async function joseVerifier(lab: Lab, fetched: Fetch): Promise<Party> {
  const { jwks_uri } = await discovered(lab, fetched);
  const keys = jose.createRemoteJWKSet(new URL(jwks_uri!), { [jose.customFetch]: fetched });
  return judged(async (token) => {
    await jose.jwtVerify(token, keys, { issuer: lab.issuer, audience: lab.group, typ: 'at+jwt' });
  });
}

class Refusal extends Error {}

const judged =
  (judge: (token: string) => Promise<void>): Party =>
  async (token) => {
    try {
      await judge(token);
      return ACCEPTED;
    } catch (error) {
      return refused(reasonOf(error));
    }
  };

/** As the library words it: what the server answered, or a code and the claim that it is about. */
function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (error instanceof openid.ResponseBodyError) return `${error.status} ${error.error}`;
  if (error instanceof jose.errors.JOSEError) return withClaim(error.code, (error as { claim?: unknown }).claim);
  if (error instanceof oauth.OperationProcessingError) {
    return withClaim(error.code!, (error.cause as { claim?: unknown } | undefined)?.claim);
  }
  throw error;
}

const withClaim = (code: string, claim: unknown): string => (typeof claim === 'string' ? `${code} (${claim})` : code);
