import { z } from 'zod';
import { type Cipher, CIPHERS } from '../content/cipher.js';
import { Fault } from '../kernel/fault.js';
import { identifierField, parseBody, textField } from './wire-body.js';

/** Under a file key that members of the group have. Without `format`, in the whole-file form (D-21). OCM-MLS R-212 */
export interface MlsEncryption {
  readonly scheme: 'ocm-mls';
  readonly resourceId: string;
  readonly cipher: Cipher;
  readonly format?: string;
}

/** How the resource is encrypted; no epoch is told here. OCM core section 5.3, OCM-MLS section 9 */
export type ShareEncryption =
  MlsEncryption | { readonly scheme: 'ocm-pgp'; readonly resourceId: string; readonly fingerprints: readonly string[] };

const head = z.object({ resourceId: identifierField, scheme: identifierField });
const mls = z.object({ cipher: z.enum(CIPHERS), format: identifierField.optional() });
const pgp = z.object({ fingerprints: z.array(textField(200).min(8)).min(1).max(50) });

/** Throws `share.encryption-unsupported` for a scheme that is not registered, `body.malformed` for a broken one. */
export function parseEncryption(body: unknown): ShareEncryption {
  const { resourceId, scheme } = parseBody(head, body);
  if (scheme === 'ocm-mls') {
    return { scheme, resourceId, ...parseBody(z.object({ 'ocm-mls': mls }), body)['ocm-mls'] } as ShareEncryption;
  }
  // The text of core says one name, its registry the other. OCM core, notes, item 5
  if (scheme === 'ocm-pgp' || scheme === 'ocm-gpg') {
    const members = parseBody(z.object({ [scheme]: pgp }), body) as Record<string, z.infer<typeof pgp>>;
    return { scheme: 'ocm-pgp', resourceId, fingerprints: members[scheme]!.fingerprints };
  }
  throw new Fault('share.encryption-unsupported', { scheme });
}

export const encryptionBody = ({ scheme, resourceId, ...parameters }: ShareEncryption): object => ({
  resourceId,
  scheme,
  [scheme]: parameters,
});
