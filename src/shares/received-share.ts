import { createHash } from 'node:crypto';
import type { Host, OcmAddress } from '../kernel/address.js';
import { toHex } from '../kernel/bytes.js';
import type { MlsEncryption } from '../ocm/share-encryption.js';
import type { ShareNotice } from '../ocm/share-notice.js';
import type { WebdavAccess } from '../ocm/share-protocol.js';

/** A share that another server, or this one, announced to us. Who of our users sees it is asked of the group, each time. */
export interface ReceivedShare {
  readonly id: string;
  /** The server that announced it, which alone may end it. */
  readonly from: Host;
  /** Names the share between that server and this one. */
  readonly providerId: string;
  readonly group: OcmAddress;
  readonly sender: OcmAddress;
  readonly owner: OcmAddress;
  readonly resource: ReceivedResource;
  /** Absent: not encrypted. */
  readonly encryption?: MlsEncryption;
  readonly receivedAt: Date;
  readonly expiration?: Date;
  /** Came before its group was known, and is kept no longer than this. */
  readonly heldUntil?: Date;
  readonly endedAt?: Date;
}

export interface ReceivedResource extends Omit<WebdavAccess, 'sharedSecret'> {
  readonly type: string;
  readonly name: string;
  readonly description?: string;
}

/**
 * OCM-MLS: a share may come before its Welcome or Commit. It was answered as accepted and is not announced
 * again, so it is kept longer than any Welcome can be late: a KeyPackage of ours opens one for 37 days.
 */
export const HELD_MS = 40 * 86_400_000;
/** How many such shares one server, and all of them together, may have waiting here. */
export const MOST_HELD = 500;
export const MOST_HELD_OF_ALL = 20_000;

/** The notice without its secret. */
export function resourceOf({ resourceType: type, name, description, webdav }: ShareNotice): ReceivedResource {
  const { sharedSecret: _, ...access } = webdav;
  return { type, name, ...(description === undefined ? {} : { description }), ...access };
}

/** By which a notice that comes twice is told from one that was changed. The secret takes part, by its digest only. */
export const digestOf = (notice: ShareNotice): string =>
  toHex(
    createHash('sha256')
      .update(JSON.stringify(ordered(notice)))
      .digest(),
  );

const ordered = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(ordered)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .filter(([, member]) => member !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, member]) => [name, ordered(member)])
      : value;
