import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { parseNotification } from '../../src/ocm/notification.js';
import { golden } from './golden.js';

type Body = { notification: { federation: Record<string, unknown> } } & Record<string, unknown>;
const commit = golden('mls-commit') as Body;
const federation = (changes: object, body = commit) => ({
  ...body,
  notification: { federation: { ...body.notification.federation, ...changes } },
});

const refusal = (body: unknown): unknown => {
  try {
    parseNotification(body);
  } catch (error) {
    if (error instanceof Fault) return { code: error.code, ...error.facts };
    throw error;
  }
  return 'taken';
};
const wrong = (name: string, message: string) => ({ code: 'body.malformed', errors: [{ path: name, message }] });

test('contents arrive decoded, the group id in its one form, the domain in lower case', () => {
  expect(parseNotification({ ...commit, senderDomain: 'CLOUD.example.org:8443' })).toEqual({
    notificationType: 'MLS_COMMIT',
    senderDomain: 'cloud.example.org:8443',
    mlsGroupId: '3q2-78r-ur4',
    proposals: [],
    content: Uint8Array.of(0, 1, 0, 1, 255, 254),
  });
});

test('R-008 base64url is read with and without padding', () => {
  const bare = parseNotification(federation({ mlsGroupId: 'AQ', content: '-_8' }));
  expect(parseNotification(federation({ mlsGroupId: 'AQ==', content: '-_8=' }))).toEqual(bare);
});

test('R-047 userId is a whole OCM Address', () => {
  const welcome = golden('mls-welcome') as Body;
  expect(refusal(federation({ userId: 'charlie' }, welcome))).toEqual(
    wrong('notification.federation.userId', 'ADDRESS_MALFORMED'),
  );
});

test.each(['REQUEST_SHARE', 'USER_REMOVED', 'MLS_commit', 'constructor', 'x'])('%s is not taken here', (type) => {
  expect(refusal({ ...commit, notificationType: type })).toEqual({
    code: 'notification.unsupported',
    notificationType: type,
  });
});

describe('a body is refused as a whole, with the field that is wrong', () => {
  test.each([
    [{ ...commit, notificationType: undefined }, 'notificationType', 'REQUIRED'],
    [{ ...commit, notificationType: 5 }, 'notificationType', 'INVALID_TYPE'],
    [{ ...commit, senderDomain: undefined }, 'senderDomain', 'REQUIRED'],
    [{ ...commit, senderDomain: 'https://a.example.org' }, 'senderDomain', 'HOST_MALFORMED'],
    [{ ...commit, shareType: 'group' }, 'shareType', 'INVALID_VALUE'],
    [{ ...commit, notification: { mlsGroupId: 'AQ' } }, 'notification.federation', 'REQUIRED'],
    [federation({ mlsGroupId: '' }), 'notification.federation.mlsGroupId', 'CODEC_MALFORMED'],
    [federation({ mlsGroupId: '+/+/' }), 'notification.federation.mlsGroupId', 'BASE64URL_MALFORMED'],
    [federation({ content: 'A' }), 'notification.federation.content', 'BASE64URL_MALFORMED'],
    [federation({ content: '' }), 'notification.federation.content', 'BASE64URL_MALFORMED'],
    [federation({ content: ['AQ'] }), 'notification.federation.content', 'INVALID_TYPE'],
    [federation({ proposals: ['A A'] }), 'notification.federation.proposals.0', 'BASE64URL_MALFORMED'],
    [federation({ proposals: Array(1001).fill('AQ') }), 'notification.federation.proposals', 'TOO_BIG'],
    [federation({ keyPackages: [] }, golden('mls-rejoin') as Body), 'notification.federation.keyPackages', 'TOO_SMALL'],
    [{ ...(golden('share-accepted') as object), notification: {} }, 'notification.file', 'REQUIRED'],
    [{ ...(golden('share-accepted') as object), resourceType: undefined }, 'resourceType', 'REQUIRED'],
    [
      { ...(golden('share-accepted') as object), notification: { file: {} } },
      'notification.file.providerId',
      'REQUIRED',
    ],
  ])('%#', (body, name, message) => {
    expect(refusal(body)).toEqual(wrong(name, message));
  });

  test.each([[null], ['MLS_COMMIT'], [[commit]], [undefined]])('%j is no body at all', (body) => {
    expect(refusal(body)).toMatchObject({ code: 'body.malformed' });
  });
});

test('what we do not know besides is passed over', () => {
  expect(parseNotification({ ...commit, extra: { deep: [] }, providerId: 'x' })).toEqual(parseNotification(commit));
});

test('the detail of a folder may be called folder', () => {
  const body = golden('share-accepted') as { notification: { file: object } };
  const folder = { ...body, notification: { folder: body.notification.file } };
  expect(parseNotification(folder)).toEqual(parseNotification(body));
});
