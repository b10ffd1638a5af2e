import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';
import type { UserKeyPackage } from '../ocm/notification.js';
import { mlsCommit, mlsProposal, mlsRejoin, mlsWelcome } from '../ocm/notification-body.js';
import type { NewLetter } from '../outbox/letter.js';
import { memberServers } from './group.js';

interface Handshake {
  readonly here: Host;
  readonly mlsGroupId: MlsGroupId;
}

/** All letters of a group to one peer go in one lane, so that they arrive in the order they were written. */
const letter = (to: Host, { mlsGroupId }: Handshake, kind: string, subject: string, body: object): NewLetter => ({
  to,
  lane: mlsGroupId,
  endpoint: 'notifications',
  kind,
  subject,
  body,
});

/** The worker that asks to be taken in again, and hears what the admin servers answer. */
export const REJOINING = 'groups.rejoining';

/** The answer to a Commit that we submitted goes here. */
export const SUBMISSIONS = 'groups.submissions';

/** The answers to what members of this server proposed go here. */
export const PROPOSED = 'groups.proposed';

/** Our Commit to the Group Owner Server, whose answer decides. OCM-MLS R-017 */
export function submission(
  from: Handshake,
  owner: Host,
  { digest, commit, proposals }: { digest: string; commit: Uint8Array; proposals: readonly Uint8Array[] },
): NewLetter {
  const body = mlsCommit({ senderDomain: from.here, mlsGroupId: from.mlsGroupId, proposals, content: commit });
  return { ...letter(owner, from, 'MLS_COMMIT', digest, body), answerTo: SUBMISSIONS };
}

/**
 * An accepted Commit to all member servers of the tree it was made on, proposals verbatim and in order
 * (OCM-MLS ). Servers that are new get the Welcome only (D-10). No server relays it.
 */
export function broadcast(
  from: Handshake,
  members: readonly OcmAddress[],
  { digest, commit, proposals }: { digest: string; commit: Uint8Array; proposals: readonly Uint8Array[] },
): NewLetter[] {
  const body = mlsCommit({ senderDomain: from.here, mlsGroupId: from.mlsGroupId, proposals, content: commit });
  return memberServers(members)
    .filter((server) => server !== from.here)
    .map((server) => letter(server, from, 'MLS_COMMIT', digest, body));
}

/** One MLS_WELCOME for each added user of another server, even of one Commit. OCM-MLS */
export function welcomes(from: Handshake, added: readonly OcmAddress[], welcome: Uint8Array): NewLetter[] {
  return added
    .filter((user) => hostOf(user) !== from.here)
    .map((userId) => {
      const body = mlsWelcome({ senderDomain: from.here, mlsGroupId: from.mlsGroupId, userId, content: welcome });
      return letter(hostOf(userId), from, 'MLS_WELCOME', userId, body);
    });
}

/** A proposal to the home server of every admin, and to nobody else. OCM-MLS */
export function proposalTo(
  from: Handshake,
  servers: readonly Host[],
  sender: OcmAddress,
  proposal: Uint8Array,
): NewLetter[] {
  const body = mlsProposal({ senderDomain: from.here, mlsGroupId: from.mlsGroupId, content: proposal });
  return servers.filter((server) => server !== from.here).map((to) => letter(to, from, 'MLS_PROPOSAL', sender, body));
}

/** A notification holds no more; who has more users in a group sends several. */
const MOST_KEY_PACKAGES = 200;

/** What stands still in the group's lane must not keep such a request from going out. */
export const rejoinLane = (mlsGroupId: MlsGroupId): string => `rejoin ${mlsGroupId}`;

/** The request of a server that lost its state, to the home server of every admin. OCM-MLS R-125 */
export function rejoinTo(
  from: Handshake,
  servers: readonly Host[],
  keyPackages: readonly UserKeyPackage[],
): NewLetter[] {
  const letters: NewLetter[] = [];
  for (let at = 0; at < keyPackages.length; at += MOST_KEY_PACKAGES) {
    const some = keyPackages.slice(at, at + MOST_KEY_PACKAGES);
    const body = mlsRejoin({ senderDomain: from.here, mlsGroupId: from.mlsGroupId, keyPackages: some });
    for (const to of servers) {
      const request = letter(to, from, 'MLS_REJOIN', from.mlsGroupId, body);
      letters.push({ ...request, lane: rejoinLane(from.mlsGroupId), answerTo: REJOINING });
    }
  }
  return letters;
}
