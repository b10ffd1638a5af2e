import { expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { written } from '../../src/mls/federated-group.js';
import { unwrapFileKey, wrapFileKey, WRAPPED_LENGTHS } from '../../src/shares/wrapped-key.js';
import { createCipheriv } from 'node:crypto';
import { TestDice } from '../support/dice.js';

const ADDRESS = 'research-group@receiver.example.org';
const RESOURCE = '3a02538b-aa54-42f2-8853-a38996e211b1';
const dice = new TestDice('wrapping');
const wrapping = { groupKey: dice.bytes(16), label: written(ADDRESS) };

test('R-168 R-169 the associated data is FKWrapAAD to the byte, and holds no group_id', () => {
  const key = new Uint8Array(32).fill(7);
  const wrapped = wrapFileKey(wrapping, RESOURCE, key, dice);
  // As computed by hand from the struct: the address and the resource, each with its length before it.
  const aad = Buffer.from(
    '2372657365617263682d67726f75704072656365697665722e6578616d706c652e6f7267' +
      '2433613032353338622d616135342d343266322d383835332d613338393936653231316231',
    'hex',
  );
  const cipher = createCipheriv('aes-128-gcm', wrapping.groupKey, wrapped.subarray(0, 12)).setAAD(aad);
  const body = Buffer.concat([cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  expect(toHex(wrapped.subarray(12))).toBe(body.toString('hex'));
});

test.each([16, 32])(
  'R-165 a file key of %i bytes goes under the 16 bytes of the Group Key, with a nonce of its own',
  (length) => {
    const key = dice.bytes(length);
    const [one, two] = [wrapFileKey(wrapping, RESOURCE, key, dice), wrapFileKey(wrapping, RESOURCE, key, dice)];
    expect(WRAPPED_LENGTHS).toContain(one.length);
    expect(toHex(one.subarray(0, 12))).not.toBe(toHex(two.subarray(0, 12)));
    for (const wrapped of [one, two]) expect(unwrapFileKey(wrapping, RESOURCE, wrapped)).toEqual(key);
  },
);

test('R-168 it opens for no other group, resource or Group Key, and for no other bytes', () => {
  const wrapped = wrapFileKey(wrapping, RESOURCE, dice.bytes(32), dice);
  const refused = { code: 'file-key.unopenable' };
  const open =
    (changes: object, resource = RESOURCE, bytes = wrapped) =>
    () =>
      unwrapFileKey({ ...wrapping, ...changes }, resource, bytes);
  expect(open({ label: written('other@receiver.example.org') })).toThrow(expect.objectContaining(refused) as Error);
  expect(open({ groupKey: dice.bytes(16) })).toThrow(expect.objectContaining(refused) as Error);
  expect(open({}, RESOURCE.replace('3', '4'))).toThrow(expect.objectContaining(refused) as Error);
  for (let at = 0; at < wrapped.length; at++) {
    const changed = wrapped.slice();
    changed[at]! ^= 1;
    expect(open({}, RESOURCE, changed)).toThrow(expect.objectContaining(refused) as Error);
  }
  for (const length of [0, 43, 45, 59, 61]) {
    const other = new Uint8Array(length);
    expect(open({}, RESOURCE, other)).toThrow(expect.objectContaining(refused) as Error);
  }
});
