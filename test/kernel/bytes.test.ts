import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64url, fromUtf8, sameBytes, toBase64url, utf8, wipe } from '../../src/kernel/bytes.js';

test('R-007 base64url is written without padding', () => {
  expect(toBase64url(Uint8Array.of(0xfb, 0xff))).toBe('-_8');
});

test('R-008 base64url is read with and without padding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const bare = toBase64url(bytes);
      const padded = bare + '='.repeat((4 - (bare.length % 4)) % 4);
      expect(fromBase64url(bare)).toEqual(bytes);
      expect(fromBase64url(padded)).toEqual(bytes);
    }),
  );
});

test.each(['a', '+/8', 'ab==c', 'ab=', 'a b', 'ab===', '-_9'])('%j is not base64url', (text) => {
  expect(() => fromBase64url(text)).toThrow('base64url.malformed');
});

test('text that is not UTF-8 is refused, a byte order mark is kept', () => {
  expect(() => fromUtf8(Uint8Array.of(0xff))).toThrow('codec.malformed');
  expect(fromUtf8(utf8('\ufeffa'))).toBe('\ufeffa');
});

test('equality compares all bytes, and wiping leaves zeros', () => {
  const secret = utf8('secret');
  expect(sameBytes(secret, utf8('secret'))).toBe(true);
  expect(sameBytes(secret, utf8('secreT'))).toBe(false);
  expect(sameBytes(secret, utf8('secre'))).toBe(false);
  wipe(secret);
  expect(secret).toEqual(new Uint8Array(6));
});
