import { expect, test } from 'vitest';
import { type Door, whose } from '../../src/upstream/ownership.js';

const bytes = (body: unknown) => new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
const judged = (door: Door, body: unknown, signatureInput?: string) => whose(door, bytes(body), signatureInput);
const said = (change: object) => ({
  notificationType: 'SHARE_UNSHARED',
  senderDomain: 'a.test',
  notification: { file: { providerId: 'p-1' } },
  ...change,
});

test('a share with a federated group is ours, whatever else is wrong with it', () => {
  expect(judged('shares', { shareType: 'federation', shareWith: 7 })).toEqual({ kind: 'ours' });
});

test.each([
  [{ shareType: 'user' }],
  [{ shareType: 'group' }],
  [{ shareType: 'Federation' }],
  [{ shareType: ['federation'] }],
  [{}],
  [[{ shareType: 'federation' }]],
  ['null'],
  ['{"shareType":"federation"'],
  [''],
])('any other share is theirs: %j', (body) => {
  expect(judged('shares', body)).toEqual({ kind: 'theirs' });
});

test('of a field that is there twice the last counts, as it does for nearly all readers', () => {
  expect(judged('shares', '{"shareType":"user","shareType":"federation"}')).toEqual({ kind: 'ours' });
  expect(judged('shares', '{"shareType":"federation","shareType":"user"}')).toEqual({ kind: 'theirs' });
});

test.each([
  ['MLS notification', { notificationType: 'MLS_COMMIT' }],
  ['MLS notification of a type that nobody knows', { notificationType: 'MLS_TOMORROW', shareType: 'user' }],
  ['notification about a federated share', said({ shareType: 'federation' })],
  ['the same without an id', { notificationType: 'SHARE_ACCEPTED', shareType: 'federation' }],
])('ours: %s', (_, body) => expect(judged('notifications', body)).toEqual({ kind: 'ours' }));

test.each([
  ['no ids', { notificationType: 'SHARE_ACCEPTED', senderDomain: 'a.test' }],
  ['an id that is no text', said({ notification: { file: { providerId: 7 } } })],
  ['a type that only begins alike', { notificationType: 'mls_commit' }],
  ['no JSON', '{'],
  ['no object', '"MLS_COMMIT"'],
])('theirs: %s', (_, body) => expect(judged('notifications', body)).toEqual({ kind: 'theirs' }));

test.each([
  'SHARE_ACCEPTED',
  'SHARE_DECLINED',
  'SHARE_UNSHARED',
  'SHARE_CHANGE_PERMISSION',
  'REQUEST_RESHARE',
  'OTHER',
])('%s hangs on whose the share is, as sent or as received from that server', (notificationType) =>
  expect(judged('notifications', said({ notificationType }))).toEqual({
    kind: 'named',
    providerIds: ['p-1'],
    from: 'a.test',
  }),
);

test('a share that is said to be with a user cannot be one that was received here', () => {
  expect(judged('notifications', said({ shareType: 'user' }))).toEqual({ kind: 'named', providerIds: ['p-1'] });
});

test('all places are looked at where a providerId may stand, the same once', () => {
  const body = said({
    providerId: 'top',
    notification: { providerId: 'in', file: { providerId: 'f' }, folder: { providerId: 'in' } },
  });
  expect(judged('notifications', body)).toMatchObject({ providerIds: ['top', 'in', 'f'] });
});

test.each([
  ['a.test#key-1', 'a.test'],
  ['https://a.test/ocm#signature', 'a.test'],
])('D-02 a body that does not say who sends it: the key id %s does', (keyId, from) => {
  const input = `ocm=("@method");created=1;keyid="${keyId}"`;
  expect(judged('notifications', said({ senderDomain: undefined }), input)).toMatchObject({ from });
  expect(judged('notifications', said({}), `x=();keyid="c.test#k"`)).toMatchObject({ from: 'a.test' });
});

test('a body that nobody signs and that says nothing of its sender names shares of ours only', () => {
  expect(judged('notifications', said({ senderDomain: 'not a host' }))).toEqual({
    kind: 'named',
    providerIds: ['p-1'],
  });
});

test('a token request hangs on its secret, wherever one could be read', () => {
  const secrets = (body: unknown) => judged('token', body);
  expect(secrets('grant_type=authorization_code&code=a%2Bb+c')).toEqual({ kind: 'secret', secrets: ['a+b c'] });
  expect(secrets('code=one&code=two&code=one')).toEqual({ kind: 'secret', secrets: ['one', 'two'] });
  expect(secrets({ code: 'three' })).toMatchObject({ secrets: expect.arrayContaining(['three']) as unknown });
});

test.each(['', 'grant_type=x', 'code=', `code=${'x'.repeat(513)}`, '{"code":7}'])(
  'a token request without: %s',
  (body) => {
    expect(judged('token', body)).toEqual({ kind: 'theirs' });
  },
);

test('the most that is looked up is bounded', () => {
  const body = Array.from({ length: 50 }, (_, at) => `code=${at}`).join('&');
  expect(judged('token', body)).toEqual({ kind: 'secret', secrets: ['0', '1', '2', '3'] });
});
