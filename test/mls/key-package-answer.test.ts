import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { keyPackageAnswer, parseKeyPackageAnswer } from '../../src/mls/key-package-answer.js';

const alice = ocmAddress('alice@cloud.example.org');
const message = new Uint8Array([0, 1, 0, 5, 251, 255]);
const body = (json: unknown) => utf8(JSON.stringify(json));
const read = (json: unknown) => parseKeyPackageAnswer(body(json), alice);
const entry = { mediaType: 'message/mls', encoding: 'base64url', content: 'AAEABfv_' };

test('R-007 R-034 R-047 the answer is the golden one', () => {
  const golden = readFileSync(new URL('../wire/mls-key-packages.json', import.meta.url), 'utf8');
  expect(keyPackageAnswer(alice, message)).toEqual(JSON.parse(golden));
  expect(parseKeyPackageAnswer(utf8(golden), alice)).toEqual([message]);
});

test('R-008 content is read with and without padding', () => {
  const padded = { ...entry, content: 'AAEABfv_AA==' };
  const bare = { ...entry, content: 'AAEABfv_AA' };
  const [one, two] = read({ userId: alice, keyPackages: [padded, bare] });
  expect(one).toEqual(two);
  expect(one).toHaveLength(7);
});

test('entries of other media types and encodings are passed over, unknown members too', () => {
  const others = [
    { ...entry, mediaType: 'message/other' },
    { ...entry, encoding: 'base64' },
    { ...entry, note: 1 },
  ];
  expect(read({ userId: alice, keyPackages: others, more: true })).toHaveLength(1);
  expect(read({ userId: alice, keyPackages: [] })).toEqual([]);
});

test('R-215 an answer about somebody else is refused', () => {
  for (const userId of ['bob@cloud.example.org', 'alice@Cloud.example.org', '']) {
    expect(() => read({ userId, keyPackages: [entry] })).toThrow('key-package.other-user');
  }
});

test.each([
  ['no JSON', utf8('{')],
  ['no UTF-8', new Uint8Array([0xff])],
  ['nothing', new Uint8Array()],
  ['no object', body([])],
  ['no userId', body({ keyPackages: [] })],
  ['no list', body({ userId: alice, keyPackages: entry })],
  ['an entry without content', body({ userId: alice, keyPackages: [{ ...entry, content: undefined }] })],
  ['too many', body({ userId: alice, keyPackages: Array(65).fill(entry) })],
  ['one too long', body({ userId: alice, keyPackages: [{ ...entry, content: 'A'.repeat(65_537) }] })],
])('%s is refused', (_, bytes) => {
  expect(() => parseKeyPackageAnswer(bytes, alice)).toThrow('key-package.answer-malformed');
});

test('content that is not base64url is refused', () => {
  expect(() => read({ userId: alice, keyPackages: [{ ...entry, content: 'A+/=' }] })).toThrow('base64url.malformed');
});
