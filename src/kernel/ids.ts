import { toBase64url } from './bytes.js';
import type { Brand } from './brand.js';
import { Fault } from './fault.js';

/** The MLS `group_id`, base64url without padding: the form it has on the wire and in the database. */
export type MlsGroupId = Brand<string, 'MlsGroupId'>;

/** An MLS epoch. On the MLS wire a uint64; we refuse groups beyond 2^53 - 1 epochs. */
export type Epoch = Brand<number, 'Epoch'>;

/** SHA-256 of the whole MLSMessage of a Commit, in hex: the name of a Commit. */
export type CommitDigest = Brand<string, 'CommitDigest'>;

const LONGEST_GROUP_ID = 255;

/** From the bytes of a `group_id`. Throws `codec.malformed` when empty or longer than 255 bytes. */
export function mlsGroupId(bytes: Uint8Array): MlsGroupId {
  if (bytes.length === 0 || bytes.length > LONGEST_GROUP_ID) throw new Fault('codec.malformed', { what: 'group_id' });
  return toBase64url(bytes) as MlsGroupId;
}

/** Throws `codec.malformed` for what is not an integer from 0 to 2^53 - 1. */
export function epoch(value: number | bigint): Epoch {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new Fault('codec.malformed', { what: 'epoch' });
  return number as Epoch;
}
