import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { identifierField, parseBody, textField } from './wire-body.js';

export const PERMISSIONS = ['read', 'write', 'share'] as const;
export type Permission = (typeof PERMISSIONS)[number];
export const REQUIREMENTS = ['must-exchange-token', 'must-use-mfa'] as const;
export type Requirement = (typeof REQUIREMENTS)[number];
const ACCESS_TYPES = ['remote', 'datatx'] as const;

/** OCM core section 5.4, `webdav` */
export interface WebdavAccess {
  /** A key below the sender's WebDAV prefix, or absolute; empty in the oldest spelling, where the secret finds it. */
  readonly uri: string;
  /** Never into a URL, a log or an error. */
  readonly sharedSecret: string;
  readonly accessTypes: readonly (typeof ACCESS_TYPES)[number][];
  readonly permissions: readonly Permission[];
  readonly requirements: readonly Requirement[];
  readonly size?: number;
}

const permissionsField = z.array(z.enum(PERMISSIONS)).min(1).max(10);

/** Reads the `permissions` of a `SHARE_CHANGE_PERMISSION`. Throws `body.malformed`. */
export function parsePermissions(permissions: unknown): readonly Permission[] {
  return parseBody(z.object({ permissions: permissionsField }), { permissions }).permissions;
}

const secret = identifierField;

const webdav = z.object({
  uri: textField(2048).min(1),
  sharedSecret: secret,
  accessTypes: z.array(z.enum(ACCESS_TYPES)).min(1).max(10).default(['remote']),
  permissions: permissionsField.default(['read']),
  // Not an enumeration here: an unknown one has an answer of its own.
  requirements: z.array(identifierField).min(1).max(20).optional(),
  size: z.number().int().nonnegative().optional(),
});

/** The deprecated spelling gives the secret alone; what more stands there is not of this vocabulary. */
const options = z.object({ sharedSecret: secret });

const named = z.object({ name: identifierField, webdav: z.unknown().optional(), options: z.unknown().optional() });

function requirements(given: readonly string[] | undefined): readonly Requirement[] {
  const unknown = (given ?? []).filter((name) => !(REQUIREMENTS as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Fault('share.requirement-unknown', { requirements: unknown });
  return (given ?? []) as readonly Requirement[];
}

/**
 * Reads the `protocol` of a share in any of its three spellings: `webdav` with `options`, `webdav` with a member
 * `webdav`, `multi` with a member `webdav`. Throws `share.protocol-unsupported` when WebDAV is not offered,
 * `share.requirement-unknown` for a requirement that we could not keep.
 */
export function parseProtocol(body: unknown): WebdavAccess {
  const protocol = parseBody(named, body);
  const multi = protocol.name === 'multi';
  if ((!multi && protocol.name !== 'webdav') || (multi && protocol.webdav === undefined)) {
    throw new Fault('share.protocol-unsupported', { protocol: protocol.name });
  }
  if (protocol.webdav === undefined) {
    const { sharedSecret } = parseBody(z.object({ options }), body).options;
    return { uri: '', sharedSecret, accessTypes: ['remote'], permissions: ['read'], requirements: [] };
  }
  const { requirements: required, ...access } = parseBody(z.object({ webdav }), body).webdav;
  return { ...access, requirements: requirements(required) } as WebdavAccess;
}

/** The third spelling always. An empty list of requirements is not allowed, so it is left out. */
export const protocolBody = ({
  uri,
  sharedSecret,
  accessTypes,
  permissions,
  requirements,
  size,
}: WebdavAccess): object => ({
  name: 'multi',
  webdav: {
    uri,
    sharedSecret,
    ...(accessTypes.join() === 'remote' ? {} : { accessTypes }),
    permissions,
    ...(requirements.length > 0 ? { requirements } : {}),
    ...(size === undefined ? {} : { size }),
  },
});

/** A copy without any member named `sharedSecret`, however deep. OCM-IP, Secret Handling, I-022 */
export function withoutSecrets(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutSecrets);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json)
      .filter(([name]) => name !== 'sharedSecret')
      .map(([name, value]) => [name, withoutSecrets(value)]),
  );
}
