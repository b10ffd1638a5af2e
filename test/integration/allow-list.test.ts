import { expect, test } from 'vitest';
import { AllowList, type Mode, type Pairing } from '../../src/integration/allow-list.js';
import { host } from '../../src/kernel/address.js';

const MODES: readonly Mode[] = ['self-contained', 'provisioned', 'introspected'];

test('I-009 an empty list refuses everybody, in every mode', () => {
  const list = new AllowList([]);
  expect([list.has(host('a.test')), MODES.some((mode) => list.allows(host('a.test'), mode))]).toEqual([false, false]);
});

test('I-002 I-009 each domain may use the modes that it is listed with, in any combination', () => {
  for (let bits = 0; bits < 8; bits++) {
    const modes = MODES.filter((_, at) => bits & (1 << at));
    const list = new AllowList([
      { domain: 'A.test:443', modes },
      { domain: 'b.test', modes: [] },
    ]);
    expect(MODES.filter((mode) => list.allows(host('a.test'), mode))).toEqual(modes);
    expect(MODES.filter((mode) => list.allows(host('b.test'), mode))).toEqual([]);
    expect(list.has(host('c.test'))).toBe(false);
  }
});

test('I-008 a pairing is a name and modes: there is no secret to exchange', () => {
  const pairing: Required<Pairing> = { domain: 'a.test', modes: MODES };
  expect(new AllowList([pairing]).introspected).toBe('a.test');
});

test('a list that contradicts itself is refused', () => {
  const twice = ['a.test', 'A.TEST'].map((domain) => ({ domain, modes: MODES }));
  expect(() => new AllowList(twice)).toThrow('config.wrong');
  const asked = ['a.test', 'b.test'].map((domain) => ({ domain, modes: ['introspected'] as const }));
  expect(() => new AllowList(asked)).toThrow('config.wrong');
});
