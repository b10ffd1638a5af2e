import { hash } from 'node:crypto';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsGroupId } from '../kernel/ids.js';

/** Leaves of one group are renewed at so many moments of an interval only, so that those of one moment cost one epoch. */
const MOMENTS = 16;

interface Leaf {
  readonly mlsGroupId: MlsGroupId;
  readonly address: OcmAddress;
  readonly updatedAt: Date;
  /** Its key is still that of the KeyPackage it came with. */
  readonly fresh: boolean;
}

/**
 * When a leaf of ours is to get new keys (OCM-MLS R-128): between half the interval and the whole of it after the last
 * time, one leaf earlier than the other. A fresh one comes early, since others had its key for long and perhaps more
 * than once. All servers find the same moments for a group, others for each group.
 */
export function nextUpdate({ mlsGroupId, address, updatedAt, fresh }: Leaf, intervalMs: number): Date {
  const step = intervalMs / MOMENTS;
  const offset = fraction(mlsGroupId) * step;
  const wait = fresh ? 2 * step : (intervalMs * (1 + fraction(`${address} ${mlsGroupId}`))) / 2;
  const moment = Math.floor((updatedAt.getTime() + wait - offset) / step) * step + offset;
  return new Date(Math.ceil(moment));
}

/** Whether a leaf was not renewed in time (OCM-MLS R-129): its member's server may be gone, and its old key may be known. */
export const isStale = ({ updatedAt }: Pick<Leaf, 'updatedAt'>, now: Date, deadlineMs: number): boolean =>
  now.getTime() - updatedAt.getTime() > deadlineMs;

/** How long to wait before looking again at a leaf for which nothing could be done. */
export const lookAgain = (now: Date, intervalMs: number): Date => new Date(now.getTime() + intervalMs / MOMENTS);

/** A fixed number from 0 up to 1. */
const fraction = (text: string): number => parseInt(hash('sha256', text).slice(0, 8), 16) / 2 ** 32;
