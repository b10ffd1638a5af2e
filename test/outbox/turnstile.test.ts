import { expect, test } from 'vitest';
import { Turnstile } from '../../src/outbox/turnstile.js';

test('of many who come at the same time, those behind a look that finds nothing do not look', async () => {
  const found = ['a', 'b', undefined, 'never'];
  let looks = 0;
  const turnstile = new Turnstile();
  const passed = await Promise.all(Array.from({ length: 8 }, () => turnstile.pass(async () => found[looks++])));
  expect(passed).toEqual(['a', 'b', ...Array(6).fill(undefined)]);
  expect(looks).toBe(3);
});

test('who comes after a look began looks again', async () => {
  const turnstile = new Turnstile();
  const late: Promise<string | undefined>[] = [];
  const first = turnstile.pass(async () => {
    late.push(turnstile.pass(async () => 'came meanwhile'));
    return undefined;
  });
  expect(await first).toBeUndefined();
  expect(await late[0]).toBe('came meanwhile');
});

test('a look that fails fails for its own caller only', async () => {
  const turnstile = new Turnstile();
  const [failed, fine] = await Promise.allSettled([
    turnstile.pass(() => Promise.reject(new Error('no'))),
    turnstile.pass(async () => 'x'),
  ]);
  expect([failed.status, fine.status]).toEqual(['rejected', 'fulfilled']);
});
