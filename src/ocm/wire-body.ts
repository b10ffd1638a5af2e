import { z } from 'zod';
import { host, ocmAddress, type Host, type OcmAddress } from '../kernel/address.js';
import { fromBase64url } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import { mlsGroupId, type MlsGroupId } from '../kernel/ids.js';

const LONGEST_CONTENT = 4 * 1024 * 1024;

/** A text that a parser of the kernel turns into what the program trusts; its fault becomes the issue of the field. */
const parsed = <T>(longest: number, parse: (text: string) => T) =>
  z
    .string()
    .max(longest)
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!isFault(error)) throw error;
        context.addIssue({ code: 'custom', message: error.code });
        return z.NEVER;
      }
    });

export const addressField = parsed<OcmAddress>(512, ocmAddress);
export const hostField = parsed<Host>(300, host);
/** OCM-MLS R-008: with and without padding. */
export const contentField = parsed<Uint8Array>(LONGEST_CONTENT, (text) => {
  const bytes = fromBase64url(text);
  if (bytes.length === 0) throw new Fault('base64url.malformed', { length: 0 });
  return bytes;
});
export const groupIdField = parsed<MlsGroupId>(512, (text) => mlsGroupId(fromBase64url(text)));

/** One line of text, for people or as an opaque identifier. */
export const textField = (longest = 1024) =>
  z
    .string()
    .max(longest)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'control characters');
export const identifierField = textField(512).min(1);

/** OCM core, error body: the message is a word, not a sentence. */
const word = (message: string) =>
  message
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()
    .slice(0, 80);

const missing = (issue: z.core.$ZodIssue) => issue.code === 'invalid_type' && /received undefined/.test(issue.message);

const MOST_ISSUES = 20;

/** Parses a body as a whole. Throws `body.malformed` with the paths and what is wrong with each. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, MOST_ISSUES).map((issue) => ({
    path: issue.path.join('.'),
    message: missing(issue) ? 'REQUIRED' : word(issue.code === 'custom' ? issue.message : issue.code),
  }));
  throw new Fault('body.malformed', { errors });
}
