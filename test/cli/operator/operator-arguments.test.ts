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
  ['trust', 'GET', '/trust'],
  ['providers', 'GET', '/trust/providers'],
  ['providers --state held', 'GET', '/trust/providers?standing=held'],
  ['provider b.test:8443', 'GET', '/trust/providers/b.test%3A8443'],
  ['approve-provider b.test --reason known', 'POST', '/trust/providers/b.test/approve'],
  ['quarantine b.test --reason odd', 'POST', '/trust/providers/b.test/quarantine'],
  ['release b.test --reason fine', 'POST', '/trust/providers/b.test/release'],
  ['set-provider b.test --reason slow --limit 50', 'POST', '/trust/providers/b.test/settings'],
  ['deny *.b.test --reason no', 'POST', '/trust/rules'],
  ['undeny *.b.test --reason yes', 'POST', '/trust/rules/remove'],
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

test('why a provider stands as it does goes into the body too', () => {
  const body = (line: string) => operatorArguments(line.split(' '))?.request.body;
  expect(body('refuse-provider b.test --reason odd')).toEqual({ why: 'odd' });
  expect(body('deny *.b.test --reason no')).toEqual({ effect: 'deny', pattern: '*.b.test', why: 'no' });
  expect(body('set-provider b.test --reason old --limit 50 --compatible yes')).toEqual({
    why: 'old',
    limitPercent: 50,
    compatible: true,
  });
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
  'quarantine b.test',
  'deny *.b.test',
])('not understood: %s', (line) => {
  expect(operatorArguments(line === '' ? [] : line.split(' '))).toBeUndefined();
});
