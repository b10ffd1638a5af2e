import { expect, test } from 'vitest';
import { fromUtf8, toBase64url, utf8 } from '../../src/kernel/bytes.js';
import { credentialMessage, keyMessages, parseApplicationData } from '../../src/shares/application-data.js';
import { host } from '../../src/kernel/address.js';
import { TestDice } from '../support/dice.js';

const LAB = 'research-group@receiver.example.org';
const dice = new TestDice('data');
const key = (length = 60) => ({ resourceId: dice.uuid(), wrappedKey: dice.bytes(length) });
const entry = (changes: object = {}) => ({
  resourceId: 'r',
  groupId: LAB,
  wrappedKey: toBase64url(new Uint8Array(60)),
  ...changes,
});
const parse = (body: unknown) => parseApplicationData(utf8(JSON.stringify(body)));

test('R-022 R-102 R-177 what is said is a JSON object; groupId is the address of the group', () => {
  const keys = [key(44), key()];
  const [message, none] = keyMessages(LAB, keys);
  expect(none).toBeUndefined();
  expect(JSON.parse(fromUtf8(message!))).toEqual({
    keys: keys.map(({ resourceId, wrappedKey }) => ({ resourceId, groupId: LAB, wrappedKey: toBase64url(wrappedKey) })),
  });
  expect(parseApplicationData(message!)).toEqual({
    keys: keys.map((one) => ({ ...one, groupId: LAB })),
    credentials: [],
  });
});

test('D-22 as many keys go in a message as fit 256 KiB, in their order, and none is lost', () => {
  const keys = Array.from({ length: 4_000 }, () => key());
  const messages = keyMessages(LAB, keys);
  const sizes = messages.map(({ length }) => length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(256 * 1024 - 250);
  expect(messages.flatMap((message) => parseApplicationData(message).keys.map(({ resourceId }) => resourceId))).toEqual(
    keys.map(({ resourceId }) => resourceId),
  );
  expect(keyMessages(LAB, [])).toEqual([]);
});

test('R-186 keys and credentials may come in one object', () => {
  const credential = { providerId: 'p', groupId: LAB, recipient: host('othercloud.example.org'), sharedSecret: 'new' };
  const both = parseApplicationData(Buffer.from(JSON.stringify({ keys: [entry()], credentials: [credential] })));
  expect(both.credentials).toEqual([credential]);
  expect(both.keys).toHaveLength(1);
});

test('R-182 a credential is of one share and for one server', () => {
  const credential = { providerId: 'p', recipient: host('othercloud.example.org'), sharedSecret: 'new' };
  const message = credentialMessage(LAB, [credential]);
  expect(JSON.parse(fromUtf8(message))).toMatchObject({ credentials: [{ ...credential, groupId: LAB }] });
  expect(parseApplicationData(message)).toEqual({ keys: [], credentials: [{ ...credential, groupId: LAB }] });
});

test.each([
  ['no JSON', '{'],
  ['a list', '[]'],
  [
    'a wrapped key of another length',
    JSON.stringify({ keys: [entry({ wrappedKey: toBase64url(new Uint8Array(61)) })] }),
  ],
  ['no base64url', JSON.stringify({ keys: [entry({ wrappedKey: '*' })] })],
  ['no address of a group', JSON.stringify({ keys: [entry({ groupId: 'nobody' })] })],
  ['no resource', JSON.stringify({ keys: [entry({ resourceId: undefined })] })],
  ['too many entries', JSON.stringify({ keys: Array.from({ length: 5_001 }, () => entry()) })],
  [
    'a credential without a secret',
    JSON.stringify({ keys: [], credentials: [{ providerId: 'p', groupId: LAB, recipient: 'b.test' }] }),
  ],
])('%s is refused', (_, body) => {
  expect(() => parseApplicationData(utf8(body))).toThrow(
    expect.objectContaining({ code: 'application.malformed' }) as Error,
  );
});

test('what is not known is passed over', () => {
  expect(parse({ keys: [entry({ more: 1 })], later: {} }).keys).toHaveLength(1);
  expect(parse({}).keys).toEqual([]);
});
