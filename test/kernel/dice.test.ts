import { expect, test } from 'vitest';
import { Dice } from '../../src/kernel/dice.js';

class Ones extends Dice {
  bytes = (length: number) => new Uint8Array(length).fill(0xff);
}

test('a UUID is of version 4 and of the RFC 9562 variant whatever the dice say', () => {
  expect(new Ones().uuid()).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
});
