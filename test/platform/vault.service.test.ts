import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/kernel/bytes.js';
import { Fault } from '../../src/kernel/fault.js';
import { Vault } from '../../src/platform/vault.service.js';
import { TestDice } from '../support/dice.js';

const key = (fill: number) => new Uint8Array(32).fill(fill);
const vault = (first: number, ...others: number[]) =>
  new Vault({ keys: [key(first), ...others.map(key)] }, new TestDice('vault'));
const code = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as Fault).code;
  }
  return 'accepted';
};
const secret = utf8('a private key');

test('what was sealed opens to the same bytes, for the same purpose', () => {
  const sealed = vault(1).seal(secret, 'server_key.private:k1');
  expect(vault(1).open(sealed, 'server_key.private:k1')).toEqual(secret);
  expect(Buffer.from(sealed).includes(Buffer.from(secret))).toBe(false);
});

test('nothing can be sealed too', () => {
  expect(vault(1).open(vault(1).seal(new Uint8Array(), 'p'), 'p')).toEqual(new Uint8Array());
});

test('sealed bytes cannot be moved to another place', () => {
  const sealed = vault(1).seal(secret, 'server_key.private:k1');
  expect(code(() => vault(1).open(sealed, 'server_key.private:k2'))).toBe('vault.sealed-otherwise');
});

test('no bit of what was sealed can be changed, and none can be cut off or added', () => {
  const sealed = vault(1).seal(secret, 'p');
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at]! ^= 1;
    expect(code(() => vault(1).open(changed, 'p'))).toBe('vault.sealed-otherwise');
    expect(code(() => vault(1).open(sealed.subarray(0, at), 'p'))).toBe('vault.sealed-otherwise');
  }
  expect(code(() => vault(1).open(Uint8Array.of(...sealed, 0), 'p'))).toBe('vault.sealed-otherwise');
});

test('another key does not open it', () => {
  expect(code(() => vault(2).open(vault(1).seal(secret, 'p'), 'p'))).toBe('vault.sealed-otherwise');
});

test('after a rotation the old key opens what it sealed and the new one seals', () => {
  const old = vault(1).seal(secret, 'p');
  const both = vault(2, 1);
  expect(both.open(old, 'p')).toEqual(secret);
  expect([both.isCurrent(old), both.isCurrent(both.seal(secret, 'p'))]).toEqual([false, true]);
  expect(vault(2).open(both.seal(secret, 'p'), 'p')).toEqual(secret);
});

test('what a fault says names no purpose beyond its table, and no key', () => {
  try {
    vault(2).open(vault(1).seal(secret, 'client.private:alice@a.test'), 'client.private:alice@a.test');
  } catch (error) {
    const facts = JSON.stringify((error as Fault).facts);
    expect(facts).not.toContain('alice');
    expect(facts).not.toContain(toHex(key(1)).slice(0, 16));
  }
});

test('the layout of what is stored stays as it is', () => {
  expect(toHex(vault(1).seal(secret, 'p'))).toMatchInlineSnapshot(
    `"0172cd6e8422c407fb6fc54646b1e594eb87f0e1ee04fa77e314bf0168adf6559db7272e9b0e84576eca5f8afa27a739bb70"`,
  );
});
