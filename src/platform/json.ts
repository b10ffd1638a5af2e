import { fromUtf8 } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';

const DEEPEST = 32;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Reads JSON text of limited depth; no bytes are `undefined`. Throws `body.too-deep` or `body.malformed`. */
export function parseJson(bytes: Uint8Array, deepest: number = DEEPEST): unknown {
  if (bytes.length === 0) return undefined;
  if (depth(bytes) > deepest) throw new Fault('body.too-deep', { deepest });
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch (error) {
    // The parser's own message quotes the body, which may hold secrets; it goes no further.
    const why = isFault(error) ? 'not UTF-8' : 'not JSON';
    throw new Fault('body.malformed', { errors: [{ path: '', message: why }] });
  }
}

/** Counted on the bytes, before the parser recurses into them. */
function depth(bytes: Uint8Array): number {
  let now = 0;
  let most = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted && byte === BACKSLASH) at++;
    else if (!quoted && OPENING.has(byte)) most = Math.max(most, ++now);
    else if (!quoted && CLOSING.has(byte)) now--;
  }
  return most;
}
