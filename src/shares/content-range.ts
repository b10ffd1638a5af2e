import { z } from 'zod';
import { Fault } from '../kernel/fault.js';

/** What to read of a ciphertext: the first and the last byte, and how long the plaintext is. */
export const readingAnswer = z
  .object({ first: z.int(), last: z.int(), plaintextSize: z.int() })
  .meta({ examples: [{ first: 78, last: 65_629, plaintextSize: 1_048_576 }] });

/** One range of bytes as HTTP has it, its last byte open or not. Throws `content.range` for any other. RFC 9110 section 14.1 */
export function parseRange(text: string): { readonly first: number; readonly last: number } {
  const [, first, last] = /^bytes=([0-9]{1,15})-([0-9]{0,15})$/.exec(text) ?? [];
  if (first === undefined) throw new Fault('content.range', { range: text });
  return { first: Number(first), last: last === '' ? Number.MAX_SAFE_INTEGER - 1 : Number(last) };
}
