import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/kernel/bytes.js';
import { decodeAll, opaque, struct, text, vector } from '../../src/kernel/tls.js';

const hex = (digits: string) => new Uint8Array(Buffer.from(digits, 'hex'));

test.each([
  [0, '00'],
  [63, '3f'],
  [64, '4040'],
  [16383, '7fff'],
  [16384, '80004000'],
])('the header of %i bytes is %s (RFC 9420 section 2.1.2)', (length, header) => {
  const written = opaque.write(new Uint8Array(length));
  expect(toHex(written.subarray(0, header.length / 2))).toBe(header);
  expect(decodeAll(opaque, written)).toHaveLength(length);
});

test.each([
  ['4001aa', 'a length that is not minimal'],
  ['80000001aa', 'a length that is not minimal'],
  ['c000000000000001aa', 'prefix 11'],
  ['02aa', 'a vector cut off'],
  ['40', 'a header cut off'],
  ['', 'nothing'],
  ['01aabb', 'trailing bytes'],
])('%s is refused: %s', (bytes) => {
  expect(() => decodeAll(opaque, hex(bytes))).toThrow('codec.malformed');
});

test('a struct of vectors of text reads what it wrote', () => {
  const pair = struct<{ name: string; friends: readonly string[] }>({
    name: text((t) => t),
    friends: vector(text((t) => t)),
  });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.string({ unit: 'grapheme' })), (name, friends) => {
      expect(decodeAll(pair, pair.write({ name, friends }))).toEqual({ name, friends });
    }),
  );
  expect(toHex(pair.write({ name: 'a', friends: ['bc', ''] }))).toBe('0161' + '04' + '026263' + '00');
  expect(() => decodeAll(pair, Buffer.concat([opaque.write(utf8('a')), hex('03036162')]))).toThrow('codec.malformed');
});
