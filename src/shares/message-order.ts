import type { OcmAddress } from '../kernel/address.js';
import type { Epoch } from '../kernel/ids.js';

/**
 * When something was said in a group, as MLS proves it: never by arrival, nor by what a transport counts (OCM-MLS R-121).
 * A successor of the group has a higher instance, and what was said in Commits that were taken back is older than
 * all that is said after them. D-18
 */
export interface MessageOrder {
  readonly instance: number;
  readonly history: number;
  readonly epoch: Epoch;
  readonly generation: number;
  /** Whose generations are counted. */
  readonly speaker: OcmAddress;
}

const PLACES = ['instance', 'history', 'epoch', 'generation'] as const;

/**
 * Whether what was said at `next` takes the place of what was said at `held`: only when it is strictly later. Within an
 * epoch a server speaks through one leaf, and generations of two leaves say nothing about each other, so another leaf
 * takes nobody's place. OCM-MLS
 */
export function supersedes(next: MessageOrder, held: MessageOrder | undefined): boolean {
  if (!held) return true;
  const differs = PLACES.find((place) => next[place] !== held[place]);
  if (differs === undefined) return false;
  if (differs === 'generation' && next.speaker !== held.speaker) return false;
  return next[differs] > held[differs];
}
