import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import type { Member } from '../mls/group-view.js';
import type { CommitDigest, Epoch, MlsGroupId } from '../kernel/ids.js';

/** What this server knows of a federated group in its current epoch, secrets apart. */
export interface Group {
  readonly mlsGroupId: MlsGroupId;
  /** The group's OCM Address: a label for its whole life, never routed on (OCM-MLS ). */
  readonly address: OcmAddress;
  readonly epoch: Epoch;
  /** `left`: no user of this server is a member any more; the binding of the address to the group stays. */
  readonly state: 'active' | 'left';
  /** In the order of the admin set; the first names the Group Owner Server. */
  readonly admins: readonly OcmAddress[];
  /** Our own Commit that waits for the owner server's word; while it waits no other is made. */
  readonly submitted?: CommitDigest;
  /** Nothing is committed or proposed of our own accord before. With `submitted`, when that is submitted again. */
  readonly quietUntil?: Date;
}

/** The home server of the first admin; succession is automatic. OCM-MLS R-072 */
export function ownerServer({ admins }: Pick<Group, 'admins'>): Host {
  return hostOf(admins[0]!);
}

/** The home servers of all admins, the owner's first, each once: where proposals go. OCM-MLS R-013 */
export function adminServers({ admins }: Pick<Group, 'admins'>): Host[] {
  return [...new Set(admins.map(hostOf))];
}

/** The home servers of the given members, each once. OCM-MLS R-006: routing looks at members, never at the label. */
export function memberServers(members: readonly OcmAddress[]): Host[] {
  return [...new Set(members.map(hostOf))];
}

/** A Commit as the log keeps it. `epoch` is the one it was made in; the group stood at `epoch + 1` after it. */
export interface CommitRecord {
  readonly mlsGroupId: MlsGroupId;
  readonly epoch: Epoch;
  readonly digest: CommitDigest;
  /** The HTTP signer who arbitrated it (D-14). */
  readonly arbiter: Host;
  readonly committer: OcmAddress;
  readonly added: readonly OcmAddress[];
  readonly removed: readonly OcmAddress[];
  readonly commit: Uint8Array;
  readonly proposals: readonly Uint8Array[];
  readonly recordedAt: Date;
}

/** A group as people and programs of this server see it. */
export interface GroupPicture {
  readonly group: Group;
  readonly owner: Host;
  readonly members: readonly Member[];
  readonly lastCommit?: Pick<CommitRecord, 'digest' | 'committer' | 'recordedAt'>;
}
