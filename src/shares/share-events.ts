import type { Host, OcmAddress } from '../kernel/address.js';
import type { FeedEvent } from '../feed/event.js';
import type { ShareServer } from './share-server.js';
import type { EndReason, Share } from './share.js';

type Told = Pick<Share, 'shareId' | 'group' | 'sender' | 'owner'> & { readonly resource: { readonly id: string } };

export function shareEvent(type: 'share.offered' | 'share.changed', share: Told): FeedEvent {
  return { type, data: dataOf(share) };
}

export const shareEnded = (share: Told, reason: EndReason): FeedEvent => ({
  type: 'share.ended',
  data: { ...dataOf(share), reason },
});

const dataOf = ({ shareId, group, sender, owner, resource }: Told) => ({
  group,
  share: shareId,
  sender,
  owner,
  resource: resource.id,
});

/** What a member server said of a share; nothing of what was said before. */
export function answerEvents(group: OcmAddress, before: ShareServer['state'] | null, next: ShareServer): FeedEvent[] {
  if (before === next.state || (next.state !== 'accepted' && next.state !== 'declined')) return [];
  const { shareId: share, server, providerId } = next;
  const data = { group, share, server, providerId };
  if (next.state === 'accepted') return [{ type: 'share.accepted', data }];
  return [{ type: 'share.declined', data: { ...data, why: next.why } }];
}

/** A received share, as its row has it. */
export interface ReceivedTold {
  readonly id: string;
  readonly group: OcmAddress;
  readonly from: Host;
  readonly providerId: string;
  readonly sender: OcmAddress;
  readonly owner: OcmAddress;
}

export const receivedEvent = (what: 'received' | 'changed' | 'ended', share: ReceivedTold): FeedEvent => {
  const { id: receivedShare, group, from, providerId, sender, owner } = share;
  return { type: `received_share.${what}`, data: { group, receivedShare, from, providerId, sender, owner } };
};
