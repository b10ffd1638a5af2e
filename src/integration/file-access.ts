import { Fault } from '../kernel/fault.js';
import type { Access } from './access-verifier.js';
import { type Bearer, bearerOf, type GroupPolicy } from './group-access.js';
import { isWithin, type Path, pathOf } from './webdav-path.js';

export interface FileAccess {
  readonly bearer: Bearer;
  readonly path: Path;
}

/**
 * Whether a verified token opens what `reference` names for reading: within the one resource that it is for, and within
 * the permissions of the protocol entry. OCM-IP, Token Verification step 6. Throws `access.scope`.
 */
export function judgeFileAccess(access: Access, reference: string, root: URL, policy: GroupPolicy = {}): FileAccess {
  const bearer = bearerOf(access, policy);
  const { protocol, resourceType } = access.share;
  const path = pathOf(reference, root);
  const { webdav } = protocol;
  if (!webdav?.permissions.includes('read'))
    throw new Fault('access.scope', { group: bearer.group, what: 'permission' });
  if (!isWithin(path, pathOf(webdav.uri, root), resourceType === 'folder')) {
    throw new Fault('access.scope', { group: bearer.group, what: 'path' });
  }
  return { bearer, path };
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The token of an Authorization header; `undefined` when there is none. RFC 6750 section 2.1: no other place counts. */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  BEARER.exec(authorization ?? '')?.[1];

/** The challenge of a 401 or 403; without credentials it names no error. RFC 6750 section 3 */
export function challenge(fault?: Fault): string {
  const realm = 'Bearer realm="webdav"';
  if (!fault) return realm;
  const error = fault.status === 403 ? 'insufficient_scope' : 'invalid_token';
  return `${realm}, error="${error}", error_description="${fault.code}"`;
}
