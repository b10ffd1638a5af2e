import { expect, test } from 'vitest';
import * as bodies from '../../src/ocm/notification-body.js';
import { parseNotification, type Notification } from '../../src/ocm/notification.js';
import { golden } from './golden.js';

function rebuilt(notice: Notification): object {
  switch (notice.notificationType) {
    case 'MLS_WELCOME':
      return bodies.mlsWelcome(notice);
    case 'MLS_PROPOSAL':
      return bodies.mlsProposal(notice);
    case 'MLS_COMMIT':
      return bodies.mlsCommit(notice);
    case 'MLS_APPLICATION':
      return bodies.mlsApplication(notice);
    case 'MLS_REJOIN':
      return bodies.mlsRejoin(notice);
    case 'SHARE_ACCEPTED':
      return bodies.shareAccepted(notice);
    case 'SHARE_DECLINED':
      return bodies.shareDeclined(notice);
    case 'SHARE_UNSHARED':
      return bodies.shareUnshared(notice);
    case 'SHARE_CHANGE_PERMISSION':
      return bodies.shareChangePermission(notice);
    case 'REQUEST_RESHARE':
      return bodies.requestReshare(notice);
    default:
      return notice satisfies never;
  }
}

const MLS = ['mls-welcome', 'mls-proposal', 'mls-commit', 'mls-commit-by-reference', 'mls-application', 'mls-rejoin'];
const SHARE = ['share-accepted', 'share-declined', 'share-unshared', 'share-change-permission', 'request-reshare'];

test.each([...MLS, ...SHARE])('%s is read and written as the golden body', (name) => {
  expect(JSON.stringify(rebuilt(parseNotification(golden(name))))).toBe(JSON.stringify(golden(name)));
});

test.each(MLS)('R-100 %s has no providerId at the top, and all its parameters in notification.federation', (name) => {
  const body = rebuilt(parseNotification(golden(name))) as { notification: object };
  expect(Object.keys(body)).toEqual(['notificationType', 'senderDomain', 'shareType', 'notification']);
  expect(Object.keys(body.notification)).toEqual(['federation']);
});

test('R-226 the names of types and of the share type are the registered ones', () => {
  const sent = MLS.map((name) => rebuilt(parseNotification(golden(name))) as Record<string, string>);
  expect(new Set(sent.map((body) => body['notificationType']))).toEqual(
    new Set(['MLS_APPLICATION', 'MLS_COMMIT', 'MLS_PROPOSAL', 'MLS_REJOIN', 'MLS_WELCOME']),
  );
  expect(new Set(sent.map((body) => body['shareType']))).toEqual(new Set(['federation']));
});

test('R-007 binary values go out as base64url without padding', () => {
  const notice = parseNotification(golden('mls-commit'));
  if (notice.notificationType !== 'MLS_COMMIT') throw new Error('no Commit');
  const content = new Uint8Array([0xfb, 0xff]);
  expect(JSON.stringify(bodies.mlsCommit({ ...notice, content, proposals: [content] }))).toContain(
    '"proposals":["-_8"],"content":"-_8"',
  );
});
