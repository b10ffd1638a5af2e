import type { Apache, Folder } from './apache.js';
import type { Doorway } from './doorway.js';
import type { Lab } from './labs.js';
import { ACCEPTED, type Party, refused } from './libraries.js';

/** Files of a lab, behind an Apache that verifies its tokens by itself. */
export const byKeys = (lab: Lab, doorway: Doorway): Folder => ({
  name: `keys-${lab.algorithm}`,
  directives: [
    `OAuth2TokenVerify jwks_uri ${doorway.to(`${lab.domain}/ocm/jwks`)} verify.exp=required&${uncached(lab)}`,
    ...requirements(lab),
  ],
});

/** Files of a lab, behind an Apache that asks the server about every token. */
export const byIntrospection = (lab: Lab, doorway: Doorway, secret: string): Folder => ({
  name: `asks-${lab.algorithm}`,
  directives: [
    `OAuth2TokenVerify introspect ${doorway.to(`${lab.domain}/ocm/introspect`)} ` +
      `introspect.auth=client_secret_basic&client_id=apache&client_secret=${secret}&${uncached(lab)}`,
    ...requirements(lab),
  ],
});

/**
 * Results are kept for no time, and in a place for each issuer. As it comes, mod_oauth2 keeps them for five minutes by the
 * token alone: past its end, and for every other folder, whose issuer may be another one.
 */
const uncached = ({ algorithm }: Lab): string => `verify.cache=${algorithm}&expiry=0`;
export const caches = (labs: readonly Lab[]): string[] =>
  labs.map(({ algorithm }) => `OAuth2Cache shm name=${algorithm}`);

/**
 * `oauth2_claim` passes over blanks, so the audience is compared once more. Apache looks at requirements before it knows
 * the user as well, and must not refuse then. Who may write is in the token too.
 */
function requirements({ issuer, group }: Lab): string[] {
  return [
    '<RequireAll>',
    `Require oauth2_claim iss:${issuer}`,
    `Require oauth2_claim groups:${group}`,
    `Require expr "-z %{REMOTE_USER} || reqenv('OAUTH2_CLAIM_aud') == '${group}'"`,
    '<RequireAny>',
    'Require method GET HEAD OPTIONS PROPFIND',
    'Require oauth2_claim ocm_ip.protocol.webdav.permissions:write',
    '</RequireAny>',
    '</RequireAll>',
  ];
}

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
