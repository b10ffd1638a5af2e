import { expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { databaseLoss, isLostConnection } from '../../src/platform/database-error.js';

const broken = (code: string, syscall: string) => Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
const refused = broken('ECONNREFUSED', 'connect');

test.each([
  ['a refused socket', refused],
  ['a socket file that is not there', broken('ENOENT', 'connect')],
  ['a name that nobody knows', broken('ENOTFOUND', 'getaddrinfo')],
  ['a reset in the middle, as TypeORM wraps it', { driverError: broken('ECONNRESET', 'read') }],
  ['a server that stops', { code: '57P01' }],
  ['no connection to be had', new Error('timeout exceeded when trying to connect')],
])('%s is a lost connection', (_, error) => expect(isLostConnection(error)).toBe(true));

test.each([
  ['a refusal', { code: '23505' }],
  ['a file that is not there', broken('ENOENT', 'open')],
  ['a peer that cannot be reached', new Fault('peer.unreachable', {}, refused)],
  ['a file platform that cannot be reached', new Fault('upstream.unreachable', {}, refused)],
])('%s is none', (_, error) => expect(isLostConnection(error)).toBe(false));

test('the loss of the database is found behind whatever it caused, and nowhere else', () => {
  const loss = new Fault('database.unavailable', {}, refused);
  expect(databaseLoss(new Fault('peer.unreachable', {}, new Error('x', { cause: loss })))).toBe(loss);
  expect(databaseLoss(new Fault('peer.unreachable', {}, refused))).toBeUndefined();
  expect(databaseLoss(refused)).toBeUndefined();
});
