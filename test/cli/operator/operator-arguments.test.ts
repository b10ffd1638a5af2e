import { expect, test } from 'vitest';
import { operatorArguments } from '../../../src/cli/operator/operator-arguments.js';

test.each([
  ['groups', 'GET', '/groups'],
  ['group lab@a.test', 'GET', '/groups/lab%40a.test'],
  ['approvals alice@a.test', 'GET', '/approvals?admin=alice%40a.test'],
  ['approvals alice@a.test --state declined', 'GET', '/approvals?admin=alice%40a.test&state=declined'],
  ['approve 1/2 --by alice@a.test', 'POST', '/approvals/1%2F2/approve'],
  ['decline 12 --by alice@a.test --reason no', 'POST', '/approvals/12/decline'],
  ['deliveries', 'GET', '/deliveries'],
  ['delivery b.test', 'GET', '/deliveries/peers/b.test'],
  ['try-again b.test', 'POST', '/deliveries/peers/b.test/try-again'],
  ['keys', 'GET', '/keys'],
  ['rotate-key http', 'POST', '/keys/http/rotate'],
  ['new-file-keys', 'GET', '/rotations'],
  ['new-file-keys --state done', 'GET', '/rotations?state=done'],
  ['new-file-key 0b5c', 'POST', '/rotations'],
  ['doctor', 'GET', '/doctor'],
  ['doctor --peer b.test', 'GET', '/doctor?peer=b.test'],
  ['audit', 'GET', '/audit'],
  ['audit --group lab@a.test', 'GET', '/audit?group=lab%40a.test'],
])('%s', (line, method, path) => {
  expect(operatorArguments(line.split(' '))?.request).toMatchObject({ method, path });
});

test('who decides, and why, goes into the body', () => {
  const decline = operatorArguments(['decline', '12', '--by', 'alice@a.test', '--reason', 'not yet']);
  expect(decline?.request.body).toEqual({ by: 'alice@a.test', reason: 'not yet' });
  expect(operatorArguments(['rotate-key', 'http'])?.request.body).toEqual({ how: 'with-overlap' });
  expect(operatorArguments(['rotate-key', 'token', '--how', 'at-once'])?.request.body).toEqual({ how: 'at-once' });
});

test('the answer as it came, and another place', () => {
  expect(operatorArguments(['groups', '--json', '--url', 'http://x'])).toMatchObject({ json: true, url: 'http://x' });
  expect(operatorArguments(['groups'])).toMatchObject({ json: false });
});

test.each([
  '',
  'help',
  'toString',
  'groups lab@a.test',
  'group',
  'group a b',
  'approve 12',
  'decline 12 --by alice@a.test',
  'groups --by alice@a.test',
  'groups --colour',
  'approve 12 --by',
])('not understood: %s', (line) => {
  expect(operatorArguments(line === '' ? [] : line.split(' '))).toBeUndefined();
});
