import type { Host, OcmAddress } from '../kernel/address.js';
import type { EndReason, OpenShare } from './share.js';
import type { Ended, ShareServer } from './share-server.js';

/** What the group looks like now. */
export interface Roster {
  readonly active: boolean;
  readonly servers: readonly Host[];
  /** Whether this user is a member. */
  readonly has: (address: OcmAddress) => boolean;
}

export type Reconciliation =
  | { readonly kind: 'end'; readonly reason: EndReason }
  | { readonly kind: 'keep'; readonly tell: readonly Host[]; readonly lost: readonly Exclude<ShareServer, Ended>[] };

/**
 * Who must be told of a share and who lost it, from the group as it is and what was told before; how many Commits lie
 * between does not matter. Servers that are new to the group are told of every share (OCM-MLS R-173); from a server
 * without members the share is taken; with its sender or with our last member it ends altogether.
 */
export function reconcile(share: OpenShare, roster: Roster, told: readonly ShareServer[]): Reconciliation {
  if (!roster.active) return { kind: 'end', reason: 'group-left' };
  if (!roster.has(share.sender)) return { kind: 'end', reason: 'sender-left' };
  const live = told.filter((row): row is Exclude<ShareServer, Ended> => row.state !== 'ended');
  return {
    kind: 'keep',
    tell: roster.servers.filter((server) => !live.some((row) => row.server === server)),
    lost: live.filter(({ server }) => !roster.servers.includes(server)),
  };
}
