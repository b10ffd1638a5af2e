import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { Access } from './access-verifier.js';

export interface GroupPolicy {
  /** The groups that are let in; every group when absent. */
  readonly groups?: readonly OcmAddress[];
}

/** On whose behalf a token is shown. */
export interface Bearer {
  readonly group: OcmAddress;
  readonly recipient: Host;
  /** The members of `recipient` that it speaks for; a bound token speaks for one. */
  readonly members: readonly OcmAddress[];
}

/**
 * Decides by the group claims: the share is with the group that the token names, and the server it was issued to speaks
 * for its own members only. RFC 9068 section 2.2.3.1 (`groups`). Throws `access.scope`.
 */
export function bearerOf({ audience, groups, group }: Access, policy: GroupPolicy = {}): Bearer {
  const named = group?.address === audience && groups.includes(audience);
  const welcome = !policy.groups || policy.groups.includes(audience);
  if (!group || !named || !welcome) throw new Fault('access.scope', { group: audience });
  const members = group.member === undefined ? group.members : [group.member];
  const own = members.every((member) => group.members.includes(member) && hostOf(member) === group.recipient);
  if (!own) throw new Fault('access.scope', { group: audience, recipient: group.recipient });
  return { group: audience, recipient: group.recipient as Host, members };
}
