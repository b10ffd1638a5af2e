import { z } from 'zod';
import { fromUtf8, toBase64url, utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { contentField, hostField, identifierField, parseBody, addressField } from '../ocm/wire-body.js';
import type { Host, OcmAddress } from '../kernel/address.js';
import { WRAPPED_LENGTHS } from './wrapped-key.js';

/** The file key of a resource, wrapped for a group. `groupId` is the group's OCM Address always. OCM-MLS */
export interface KeyEntry {
  readonly resourceId: string;
  readonly groupId: OcmAddress;
  readonly wrappedKey: Uint8Array;
}

/** A new transport credential of one share, for one server. OCM-MLS R-182 */
export interface CredentialEntry {
  readonly providerId: string;
  readonly groupId: OcmAddress;
  readonly recipient: Host;
  readonly sharedSecret: string;
}

export interface ApplicationData {
  readonly keys: readonly KeyEntry[];
  readonly credentials: readonly CredentialEntry[];
}

/** Of one message, in bytes of its JSON. D-22 */
const MOST_BYTES = 256 * 1024;
/** Of the entries that are read of one message. */
const MOST_ENTRIES = 5_000;

const wrappedKey = contentField.refine((bytes) => WRAPPED_LENGTHS.includes(bytes.length), 'of no good length');
const data = z.object({
  keys: z
    .array(z.object({ resourceId: identifierField, groupId: addressField, wrappedKey }))
    .max(MOST_ENTRIES)
    .default([]),
  credentials: z
    .array(
      z.object({
        providerId: identifierField,
        groupId: addressField,
        recipient: hostField,
        sharedSecret: z.string().min(1).max(1_000),
      }),
    )
    .max(MOST_ENTRIES)
    .default([]),
});

/**
 * Reads what members tell each other: keys and credentials, both in one object where that suits the sender (OCM-MLS R-177,
 * R-186), and nothing else. Throws `application.malformed`.
 */
export function parseApplicationData(bytes: Uint8Array): ApplicationData {
  try {
    return parseBody(data, JSON.parse(fromUtf8(bytes)));
  } catch (cause) {
    throw new Fault('application.malformed', {}, cause);
  }
}

const keyBody = (label: string, { resourceId, wrappedKey: bytes }: Pick<KeyEntry, 'resourceId' | 'wrappedKey'>) =>
  JSON.stringify({ resourceId, groupId: label, wrappedKey: toBase64url(bytes) });

/**
 * Keys as messages, each with as many as fit (D-22).
 * @param label the address of the group as it stands in the group
 */
export function keyMessages(label: string, keys: readonly Pick<KeyEntry, 'resourceId' | 'wrappedKey'>[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let [entries, bytes]: [string[], number] = [[], 0];
  const flush = () => {
    if (entries.length > 0) messages.push(utf8(`{"keys":[${entries.join(',')}]}`));
    [entries, bytes] = [[], 0];
  };
  for (const key of keys) {
    const entry = keyBody(label, key);
    const length = utf8(entry).length + 1;
    if (bytes + length + 11 > MOST_BYTES || entries.length === MOST_ENTRIES) flush();
    entries.push(entry);
    bytes += length;
  }
  flush();
  return messages;
}

/** Credentials for one server, to be delivered to that only. OCM-MLS R-182 */
export const credentialMessage = (label: string, entries: readonly Omit<CredentialEntry, 'groupId'>[]): Uint8Array =>
  utf8(JSON.stringify({ keys: [], credentials: entries.map((entry) => ({ ...entry, groupId: label })) }));
