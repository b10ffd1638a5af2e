import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { makerAt, makesAt, rankCreator, waitsUntil } from '../../src/groups/reinit.js';

const [alice, anna, bob, carol] = ['alice@a.test', 'anna@a.test', 'bob@b.test', 'carol@c.test'].map(ocmAddress) as [
  ReturnType<typeof ocmAddress>,
  ReturnType<typeof ocmAddress>,
  ReturnType<typeof ocmAddress>,
  ReturnType<typeof ocmAddress>,
];
const admins = [alice, bob, anna, carol];
const [a, b, c, d] = ['a.test', 'b.test', 'c.test', 'd.test'].map(host) as [
  ReturnType<typeof host>,
  ReturnType<typeof host>,
  ReturnType<typeof host>,
  ReturnType<typeof host>,
];
const T0 = new Date('2027-01-04T09:00:00Z');
const after = (hours: number) => new Date(T0.getTime() + hours * 3_600_000);

test('R-146 R-148 the server of who committed the ReInit makes the successor at once, the others one after the other', () => {
  expect([a, b, c].map((here) => makesAt(here, { admins, committer: bob }, T0))).toEqual([after(1), T0, after(2)]);
  expect([a, b, c].map((here) => makesAt(here, { admins, committer: anna }, T0))).toEqual([T0, after(1), after(2)]);
  expect(makesAt(d, { admins, committer: bob }, T0)).toBeUndefined();
});

test('R-148 who was away when it was due leaves a while to what others have made', () => {
  expect(waitsUntil(T0, after(0.1))).toBeUndefined();
  expect(waitsUntil(T0, after(2))).toEqual(after(2.25));
});

test('R-146 of several admins here the one who committed makes it, otherwise who is listed first', () => {
  expect(makerAt(a, admins, anna)).toBe(anna);
  expect(makerAt(a, admins, bob)).toBe(alice);
  expect(makerAt(a, admins)).toBe(alice);
  expect(makerAt(d, admins, bob)).toBeUndefined();
});

test('R-149 the successor of the admin listed earliest is joined, whichever comes first', () => {
  expect(rankCreator(admins, undefined, carol)).toBe('join');
  expect(rankCreator(admins, bob, bob)).toBe('join');
  expect(rankCreator(admins, carol, bob)).toBe('replace');
  expect(() => rankCreator(admins, alice, bob)).toThrow('welcome.outranked');
});
