import type { OcmAddress } from '../kernel/address.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import type { Permission } from '../ocm/share-protocol.js';

/** What is shared, as the file platform behind us names it. */
export interface Resource {
  readonly id: string;
  readonly type: 'file' | 'folder';
  readonly name: string;
  /** Below the WebDAV prefix of this server, or absolute where a protocol server elsewhere serves it. */
  readonly uri: string;
  readonly permissions: readonly Permission[];
  readonly size?: number;
  readonly description?: string;
}

interface Terms {
  readonly shareId: string;
  /** Whom it is shared with: the address of the group, for as long as the share lives. */
  readonly group: OcmAddress;
  readonly sender: OcmAddress;
  readonly owner: OcmAddress;
  readonly resource: Resource;
  /** Absent: not encrypted. */
  readonly encryption?: MlsEncryption;
  /** The protocol servers that were told of it beforehand, by the names of their pairings. Absent: its tokens tell all. */
  readonly protocolServers?: readonly string[];
  readonly createdAt: Date;
  readonly expiration?: Date;
}

export const END_REASONS = ['unshared', 'sender-left', 'group-left', 'expired'] as const;
export type EndReason = (typeof END_REASONS)[number];

export type OpenShare = Terms & { readonly state: 'open' };
export type EndedShare = Terms & { readonly state: 'ended'; readonly endedAt: Date; readonly reason: EndReason };
/** A share of a resource with a group. One resource may be shared with several groups, each a share of its own. */
export type Share = OpenShare | EndedShare;

/** An ended share stays ended; who wants to share again makes another. */
export const end = (share: OpenShare, reason: EndReason, endedAt: Date): EndedShare => ({
  ...share,
  state: 'ended',
  endedAt,
  reason,
});
