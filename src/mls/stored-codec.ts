import { decodeAll, type Codec } from '../kernel/tls.js';
import { Fault } from '../kernel/fault.js';

const fixed = (size: number): Codec<number> => ({
  write(value) {
    const bytes = new Uint8Array(size);
    for (let at = size - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
    return bytes;
  },
  read(bytes, at) {
    if (at + size > bytes.length) throw new Fault('codec.malformed', { what: 'number cut off' });
    let value = 0;
    for (const byte of bytes.subarray(at, at + size)) value = value * 256 + byte;
    return { value, end: at + size };
  },
});

export const uint8 = fixed(1);
export const uint32 = fixed(4);

/** A codec of the library, for single parts only: its lists recurse once per element. */
export const single = <T>(
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array, at: number) => [T, number] | undefined,
): Codec<T> => ({
  write: encode,
  read(bytes, at) {
    try {
      const [value, length] = decode(bytes, at)!;
      return { value, end: at + length };
    } catch (cause) {
      throw new Fault('codec.malformed', { what: 'stored MLS state' }, cause);
    }
  },
});

/** A list with the number of its elements in front: no limit of 2^30 bytes as in `vector`. */
export const counted = <T>(element: Codec<T>): Codec<readonly T[]> => ({
  write: (values) => Buffer.concat([uint32.write(values.length), ...values.map((value) => element.write(value))]),
  read(bytes, at) {
    const { value: count, end: first } = uint32.read(bytes, at);
    const values: T[] = [];
    let end = first;
    while (values.length < count) {
      const read = element.read(bytes, end);
      values.push(read.value);
      end = read.end;
    }
    return { value: values, end };
  },
});

/** What is stored begins with the number of its format, so that a later format can tell the rows of an older one. */
export const versioned = <T>(version: number, body: Codec<T>) => ({
  write: (value: T): Uint8Array => new Uint8Array(Buffer.concat([uint8.write(version), body.write(value)])),
  /** Whether the bytes are of this format. */
  wrote: (bytes: Uint8Array): boolean => bytes[0] === version,
  /** Throws `codec.malformed` for another format and for leftover bytes. */
  read(bytes: Uint8Array): T {
    if (bytes[0] !== version) throw new Fault('codec.malformed', { what: 'stored format', found: bytes[0], version });
    return decodeAll(body, bytes.subarray(1));
  },
});
