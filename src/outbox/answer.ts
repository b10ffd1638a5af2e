import { type FaultCode, FAULTS } from '../kernel/fault.js';
import { parseJson } from '../platform/json.js';

/** More of an answer is not kept. */
export const LONGEST_ANSWER = 65_536;

/**
 * What a peer answered, for who reads it later: JSON as a value, anything else as text, cut to 64 KiB. JSON that is
 * nested too deep is taken as text.
 */
export function answerBody(bytes: Uint8Array): unknown {
  const kept = bytes.subarray(0, LONGEST_ANSWER);
  try {
    return parseJson(kept);
  } catch {
    return new TextDecoder().decode(kept);
  }
}

/** Whether an error is told in the form of OCM: an object with a `message`. OCM core section 10 */
export const speaksOcm = (body: unknown): boolean => words(body).length > 0;

/** What an error calls itself: our own `code`, or the `message` of OCM when that is a name rather than a sentence. */
export const answerCode = (body: unknown): string | undefined =>
  words(body).find((word) => /^[\w.-]{1,100}$/.test(word));

/** The code of an error told in our own words: a Covey, or who speaks like one. */
export const ownCode = (body: unknown): FaultCode | undefined =>
  words(body).find((word): word is FaultCode => Object.hasOwn(FAULTS, word));

function words(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const { code, message } = body as { code?: unknown; message?: unknown };
  return [code, message].filter((word) => typeof word === 'string');
}
