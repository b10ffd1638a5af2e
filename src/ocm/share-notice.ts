import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { encryptionBody, parseEncryption, type ShareEncryption } from './share-encryption.js';
import { parseProtocol, protocolBody, type WebdavAccess } from './share-protocol.js';
import { addressField, identifierField, parseBody, textField } from './wire-body.js';

/** A Share Creation Notification to a federated group. OCM core section 5.2, OCM-MLS section "Share Creation" */
export interface ShareNotice {
  /** The address of the group. */
  readonly shareWith: OcmAddress;
  readonly shareType: 'federation';
  readonly resourceType: string;
  readonly name: string;
  readonly description?: string;
  /** One per member server. D-20 */
  readonly providerId: string;
  readonly owner: OcmAddress;
  readonly sender: OcmAddress;
  readonly ownerDisplayName?: string;
  readonly senderDisplayName?: string;
  /** Unix seconds. */
  readonly expiration?: number;
  /** Absent: not encrypted. OCM-MLS section 9 */
  readonly encryption?: ShareEncryption;
  readonly webdav: WebdavAccess;
}

const kind = z.object({ shareType: identifierField, resourceType: identifierField });

/** OCM-MLS R-203: whatever core requires, `protocol` included, is required of a federation share. */
const fields = z.object({
  shareWith: addressField,
  name: textField().min(1),
  description: textField(4096).optional(),
  providerId: identifierField,
  owner: addressField,
  sender: addressField,
  ownerDisplayName: textField().optional(),
  senderDisplayName: textField().optional(),
  expiration: z.number().int().nonnegative().max(8_640_000_000_000).optional(),
  encryption: z.looseObject({}).optional(),
  protocol: z.looseObject({}),
});

/** As registered for federation shares. OCM-MLS R-226 */
const RESOURCE_TYPES = ['file', 'folder'];

/** What is wrong with a part is told from the top of the body. */
function within<T>(part: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isFault(error, 'body.malformed')) throw error;
    const errors = error.facts['errors'] as readonly { path: string; message: string }[];
    throw new Fault('body.malformed', {
      errors: errors.map(({ path, message }) => ({ path: `${part}.${path}`, message })),
    });
  }
}

/**
 * Reads a Share Creation Notification. Throws `share.type-unsupported` for other share types and resource types than
 * ours, the faults of `parseProtocol` and `parseEncryption`, and `body.malformed` with the fields that are wrong.
 */
export function parseShareNotice(body: unknown): ShareNotice {
  const { shareType, resourceType } = parseBody(kind, body);
  if (shareType !== 'federation' || !RESOURCE_TYPES.includes(resourceType)) {
    throw new Fault('share.type-unsupported', { shareType, resourceType });
  }
  const { protocol, encryption, ...rest } = parseBody(fields, body);
  return {
    ...rest,
    shareType,
    resourceType,
    ...(encryption === undefined ? {} : { encryption: within('encryption', () => parseEncryption(encryption)) }),
    webdav: within('protocol', () => parseProtocol(protocol)),
  } as ShareNotice;
}

/** The body of a Share Creation Notification, `protocol` in its third spelling. OCM-MLS R-203 */
export function shareNotice({ webdav, encryption, ...notice }: ShareNotice): object {
  return {
    ...notice,
    protocol: protocolBody(webdav),
    ...(encryption === undefined ? {} : { encryption: encryptionBody(encryption) }),
  };
}
