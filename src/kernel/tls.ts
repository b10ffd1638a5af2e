import { fromUtf8, utf8 } from './bytes.js';
import { Fault } from './fault.js';

/** One declaration that writes and reads a structure of the TLS presentation language. RFC 9420 section 2.1 */
export interface Codec<T> {
  write(value: T): Uint8Array;
  /** Reads at `at` and tells where it ended. Throws `codec.malformed`. */
  read(bytes: Uint8Array, at: number): { value: T; end: number };
}

const short = (what: string) => new Fault('codec.malformed', { what });

/** Length header of a vector: QUIC varint, minimal, prefix 11 forbidden. RFC 9420 section 2.1.2 */
const lengthHeader: Codec<number> = {
  write(length) {
    if (length < 0x40) return Uint8Array.of(length);
    if (length < 0x4000) return Uint8Array.of(0x40 | (length >> 8), length & 0xff);
    if (length < 0x4000_0000) {
      return Uint8Array.of(0x80 | (length >>> 24), (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
    }
    throw short('vector too long');
  },
  read(bytes, at) {
    const first = bytes[at];
    if (first === undefined) throw short('vector length cut off');
    const prefix = first >> 6;
    if (prefix === 3) throw short('vector length with prefix 11');
    const size = 1 << prefix;
    if (at + size > bytes.length) throw short('vector length cut off');
    let value = first & 0x3f;
    for (const byte of bytes.subarray(at + 1, at + size)) value = value * 256 + byte;
    if (lengthHeader.write(value).length !== size) throw short('vector length not minimal');
    return { value, end: at + size };
  },
};

/** `opaque x<V>` */
export const opaque: Codec<Uint8Array> = {
  write: (value) => Buffer.concat([lengthHeader.write(value.length), value]),
  read(bytes, at) {
    const { value: length, end: start } = lengthHeader.read(bytes, at);
    if (start + length > bytes.length) throw short('vector cut off');
    return { value: bytes.slice(start, start + length), end: start + length };
  },
};

/** `opaque x<V>` that holds UTF-8 text, parsed by `parse` into what the program trusts. */
export const text = <T extends string>(parse: (text: string) => T): Codec<T> => ({
  write: (value) => opaque.write(utf8(value)),
  read(bytes, at) {
    const { value, end } = opaque.read(bytes, at);
    return { value: parse(fromUtf8(value)), end };
  },
});

/** `T x<V>`: the header gives the length in bytes, not the count. */
export const vector = <T>(element: Codec<T>): Codec<readonly T[]> => ({
  write: (values) => opaque.write(Buffer.concat(values.map((value) => element.write(value)))),
  read(bytes, at) {
    const { value: inner, end } = opaque.read(bytes, at);
    const values: T[] = [];
    for (let next = 0; next < inner.length;) {
      const { value, end: after } = element.read(inner, next);
      values.push(value);
      next = after;
    }
    return { value: values, end };
  },
});

/** A struct: its fields one after the other, in the order of the declaration. */
export const struct = <T extends object>(fields: { [K in keyof T]: Codec<T[K]> }): Codec<T> => {
  const names = Object.keys(fields) as (keyof T)[];
  return {
    write: (value) => Buffer.concat(names.map((name) => fields[name].write(value[name]))),
    read(bytes, at) {
      const value: Partial<T> = {};
      let end = at;
      for (const name of names) {
        const field = fields[name].read(bytes, end);
        value[name] = field.value;
        end = field.end;
      }
      return { value: value as T, end };
    },
  };
};

/** Reads exactly one structure; leftover bytes throw `codec.malformed`. OCM-MLS A-02 */
export function decodeAll<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const { value, end } = codec.read(bytes, 0);
  if (end !== bytes.length) throw short('trailing bytes');
  return value;
}
