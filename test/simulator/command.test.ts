import { expect, test } from 'vitest';
import { commandFrom } from './command.js';

test('a seed, servers and steps', () => {
  expect(commandFrom(['--seed', '7', '--servers', '6', '--steps', '400'])).toEqual({
    seed: '7',
    servers: 6,
    replicas: 1,
    steps: 400,
    seeds: 1,
    shrink: true,
  });
  expect(commandFrom(['--fault', 'no-row-lock', '--no-shrink'])).toMatchObject({ fault: 'no-row-lock', shrink: false });
});

test.each([
  ['--servers', '1'],
  ['--replicas', '9'],
  ['--steps', 'many'],
  ['--fault', 'no-luck'],
  ['--speed', '3'],
])('%s %s is refused', (...args) => expect(() => commandFrom(args)).toThrow('--'));
