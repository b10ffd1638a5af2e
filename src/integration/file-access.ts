import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { Access } from './access-verifier.js';
import { type Bearer, bearerOf, type GroupPolicy } from './group-access.js';
import { isWithin, type Path, pathOf } from './webdav-path.js';

export interface FilePolicy extends GroupPolicy {
  /** What is to be done; `read` when absent. */
  readonly permission?: string;
}

export interface FileAccess {
  readonly access: Access;
  readonly bearer: Bearer | Recipient;
  readonly path: Path;
}

/** Whoever a share is with that is with no group. */
export interface Recipient {
  readonly group?: never;
  readonly recipient: string;
  readonly members: readonly OcmAddress[];
}

/** What the receiving server sees to. Any other requirement is one that nobody here could keep. OCM core section 5.4 */
const KEPT_BY_RECEIVER = ['must-exchange-token', 'must-use-mfa'];

/**
 * Whether a verified credential opens what `reference` names: within the one resource that it is for, and within the
 * permissions and requirements of the protocol entry. OCM-IP, Token Verification, I-054. Throws `access.scope`.
 */
export function judgeFileAccess(access: Access, reference: string, root: URL, policy: FilePolicy = {}): FileAccess {
  const bearer = forGroup(access, policy) ? bearerOf(access, policy) : recipientOf(access);
  const { protocol, resourceType } = access.share;
  const path = pathOf(reference, root);
  const { webdav } = protocol;
  const refused = (what: string) => new Fault('access.scope', { audience: access.audience, what });
  if (!webdav?.permissions.includes(policy.permission ?? 'read')) throw refused('permission');
  if (!(webdav.requirements ?? []).every((name) => KEPT_BY_RECEIVER.includes(name))) throw refused('requirement');
  if (!isWithin(path, pathOf(webdav.uri, root), resourceType === 'folder')) throw refused('path');
  return { access, bearer, path };
}

const forGroup = ({ share, groups, group }: Access, policy: FilePolicy): boolean =>
  policy.groups !== undefined || share.shareType === 'federation' || group !== undefined || groups.length > 0;

const recipientOf = ({ audience }: Access): Recipient => ({ recipient: hostOf(audience), members: [audience] });

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The token of an Authorization header; `undefined` when there is none. No other place counts, a URL least of all.
 * RFC 6750 section 2.1; OCM-IP, Secret Handling, I-057
 */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  BEARER.exec(authorization ?? '')?.[1];

/** The challenge of a 401 or 403; without credentials it names no error. RFC 6750 section 3 */
export function challenge(fault: Fault): string {
  const realm = 'Bearer realm="webdav"';
  if (fault.code === 'access.missing') return realm;
  const error = fault.status === 403 ? 'insufficient_scope' : 'invalid_token';
  return `${realm}, error="${error}", error_description="${fault.code}"`;
}

/** The header fields of an answer of `fault.status`, in words of the access protocol alone. OCM-IP, Transparency */
export const refusalFields = (fault: Fault): Readonly<Record<string, string>> => ({
  ...(fault.status === 401 || fault.code === 'access.scope' ? { 'www-authenticate': challenge(fault) } : {}),
  ...(fault.status === 503 ? { 'retry-after': '10' } : {}),
});
