import { createHash } from 'node:crypto';
import { ownerServer } from '../groups/group.js';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { Unsettled } from '../groups/change.js';
import type { Roster } from '../membership/roster.js';
import type { JsonObject, ResourceType } from './schema.js';
import { FEDERATED_GROUP, FEDERATED_USER, GROUPS, USERS } from './schemas.js';

/** Where this server is, for links. */
export interface Place {
  readonly domain: Host;
  /** Up to and with the version of SCIM. */
  readonly base: string;
}

/** Where SCIM is below a public URL. */
export const placeOf = ({ domain, publicUrl }: { readonly domain: Host; readonly publicUrl: string }): Place => ({
  domain,
  base: `${publicUrl}/scim/v2`,
});

/** A user with the groups that the user is in. */
export interface KnownUser {
  readonly address: OcmAddress;
  readonly displayName: string;
  readonly createdAt: Date;
  readonly active: boolean;
  readonly groups: readonly OcmAddress[];
  readonly externalId?: string | undefined;
}

const linkTo = ({ base }: Place, { endpoint }: ResourceType, id: string) =>
  `${base}${endpoint}/${encodeURIComponent(id)}`;

const digest = (...parts: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);

/** Versions of what has none are those of before there were any. */
const given = (externalId: string | undefined): string[] => (externalId === undefined ? [] : [externalId]);

/**
 * A group, without its members where they were not read. The version begins with the epoch (D-30) and is another one when
 * anything in the resource is: an epoch can come twice, when a takeover is undone. RFC 7643 sections 3.1, 4.2
 */
export function groupResource(
  place: Place,
  roster: Roster,
  pending: readonly Unsettled[],
  externalId?: string,
): JsonObject {
  const { address, mlsGroupId, epoch, history, state, admins, members } = roster;
  return {
    schemas: [GROUPS.schema.id, FEDERATED_GROUP.id],
    id: address,
    ...(externalId !== undefined && { externalId }),
    displayName: address,
    ...(members && { members: members.map((member) => memberOf(place, member)) }),
    [FEDERATED_GROUP.id]: {
      mlsGroupId,
      epoch,
      state,
      ownerServer: ownerServer({ admins }),
      admins,
      pending: pending.map(showPending),
    },
    meta: {
      resourceType: GROUPS.name,
      location: linkTo(place, GROUPS, address),
      version: `W/"${epoch}.${digest(mlsGroupId, history, state, pending.map(showPending), ...given(externalId))}"`,
    },
  };
}

/** Users of other domains are no resources here, so there is nothing to refer to. */
const memberOf = (place: Place, address: OcmAddress): JsonObject => ({
  value: address,
  ...(hostOf(address) === place.domain && { $ref: linkTo(place, USERS, address) }),
  type: USERS.name,
  display: address,
});

const showPending = ({ id, kind, group, subject, actor, state, requestedAt }: Unsettled): JsonObject => ({
  value: id,
  type: kind,
  group,
  user: subject,
  by: actor,
  state,
  requested: requestedAt.toISOString(),
});

/** RFC 7643 section 4.1 */
export function userResource(
  place: Place,
  { address, displayName, createdAt, active, groups, externalId }: KnownUser,
  pending: readonly Unsettled[],
): JsonObject {
  return {
    schemas: [USERS.schema.id, ...(pending.length > 0 ? [FEDERATED_USER.id] : [])],
    id: address,
    ...(externalId !== undefined && { externalId }),
    userName: address,
    displayName,
    active,
    groups: groups.map((value) => ({ value, $ref: linkTo(place, GROUPS, value), display: value, type: 'direct' })),
    ...(pending.length > 0 && { [FEDERATED_USER.id]: { pending: pending.map(showPending) } }),
    meta: {
      resourceType: USERS.name,
      created: createdAt.toISOString(),
      location: linkTo(place, USERS, address),
      version: `W/"${digest(displayName, active, groups, pending.map(showPending), ...given(externalId))}"`,
    },
  };
}
