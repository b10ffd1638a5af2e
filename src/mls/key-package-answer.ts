import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { fromBase64url, toBase64url } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';

const MEDIA_TYPE = 'message/mls';
const ENCODING = 'base64url';
const MOST_ENTRIES = 64;
const LONGEST_CONTENT = 65_536;

/** Entries of other media types or encodings are passed over, not refused. */
const entry = z.object({
  mediaType: z.string().max(100),
  encoding: z.string().max(100),
  content: z.string().max(LONGEST_CONTENT),
});
const answer = z.object({ userId: z.string().max(512), keyPackages: z.array(entry).max(MOST_ENTRIES) });

/** The body of the KeyPackage endpoint. OCM-MLS */
export const keyPackageAnswer = (userId: OcmAddress, message: Uint8Array) => ({
  userId,
  keyPackages: [{ mediaType: MEDIA_TYPE, encoding: ENCODING, content: toBase64url(message) }],
});

/**
 * The KeyPackages in the answer of another server, unchecked. Throws `key-package.answer-malformed` for another shape,
 * `key-package.other-user` for the answer to another question, `base64url.malformed`. OCM-MLS R-008
 */
export function parseKeyPackageAnswer(body: Uint8Array, userId: OcmAddress): Uint8Array[] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new Fault('key-package.answer-malformed', { what: 'JSON' }, cause);
  }
  const parsed = answer.safeParse(json);
  if (!parsed.success) throw new Fault('key-package.answer-malformed', { at: parsed.error.issues[0]?.path.join('.') });
  if (parsed.data.userId !== userId) throw new Fault('key-package.other-user', { userId, found: parsed.data.userId });
  return parsed.data.keyPackages
    .filter(({ mediaType, encoding }) => mediaType === MEDIA_TYPE && encoding === ENCODING)
    .map(({ content }) => fromBase64url(content));
}
