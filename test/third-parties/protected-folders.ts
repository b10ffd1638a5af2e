import type { Apache, Folder } from './apache.js';
import type { Lab } from './labs.js';
import { ACCEPTED, type Party, refused } from './libraries.js';

/** Whose tokens open a folder. */
type Group = Pick<Lab, 'algorithm' | 'issuer' | 'group'>;

/**
 * Results are kept for no time. As it comes, mod_oauth2 keeps them for five minutes by the token alone: past its end, and
 * for every other folder, whose issuer may be another one.
 */
const UNCACHED = 'expiry=0';

/** Files of a group, behind an Apache that verifies its tokens by itself. */
export const byKeys = (of: Group, server: string): Folder => ({
  name: `keys-${of.algorithm}`,
  directives: [
    'AuthType oauth2',
    `OAuth2TokenVerify jwks_uri ${server}/ocm/jwks jwks_uri.expiry=300&verify.exp=required&${UNCACHED}`,
    ...requirements(of),
  ],
});

/** The same as one writes it who has not read our page. */
export const naively = (of: Group, server: string): Folder => ({
  name: `naive-${of.algorithm}`,
  directives: [
    'AuthType oauth2',
    `OAuth2TokenVerify jwks_uri ${server}/ocm/jwks`,
    `<RequireAll>`,
    `  Require oauth2_claim iss:${of.issuer}`,
    `  Require oauth2_claim groups:${of.group}`,
    `</RequireAll>`,
  ],
});

/** Files of a group, behind an Apache that asks the server about every token. */
export const byIntrospection = (of: Group, server: string, secret: string): Folder => ({
  name: `asks-${of.algorithm}`,
  directives: [
    'AuthType oauth2',
    `OAuth2TokenVerify introspect ${server}/ocm/introspect introspect.auth=client_secret_basic&client_id=apache&client_secret=${secret}&${UNCACHED}`,
    ...requirements(of),
  ],
});

/**
 * `oauth2_claim` passes over blanks, so the audience is compared once more. Apache looks at requirements before it knows
 * the user as well, and must not refuse then. Who may write is in the token too.
 */
const requirements = ({ issuer, group }: Group): string[] => [
  '<RequireAll>',
  `  Require oauth2_claim iss:${issuer}`,
  `  Require oauth2_claim groups:${group}`,
  `  Require expr "-z %{REMOTE_USER} || reqenv('OAUTH2_CLAIM_aud') == '${group}'"`,
  '  <RequireAny>',
  '    Require method GET HEAD OPTIONS PROPFIND',
  '    Require oauth2_claim ocm_ip.protocol.webdav.permissions:write',
  '  </RequireAny>',
  '</RequireAll>',
];

export interface Answer {
  readonly status: number;
  readonly error: string | undefined;
  readonly text: string;
}

/** A request as a WebDAV client makes it. */
export async function dav(
  apache: Apache,
  path: string,
  token: string | undefined,
  init: RequestInit = {},
): Promise<Answer> {
  const headers = { depth: '0', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${apache.url}/${path}`, { ...init, headers });
  const [, error] = /error="([a-z_]+)"/.exec(answer.headers.get('www-authenticate') ?? '') ?? [];
  return { status: answer.status, error, text: await answer.text() };
}

/** Apache, asked for a file in one of its folders. */
export const apacheOf =
  (apache: Apache, folder: Folder): Party =>
  async (token) => {
    const { status, error } = await dav(apache, `${folder.name}/data.csv`, token);
    return status === 200 ? ACCEPTED : refused([status, error].filter(Boolean).join(' '));
  };
