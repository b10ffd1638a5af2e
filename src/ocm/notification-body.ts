import { toBase64url } from '../kernel/bytes.js';
import type {
  MlsApplication,
  MlsCommit,
  MlsProposal,
  MlsRejoin,
  MlsWelcome,
  ReshareRequest,
  ShareNotification,
  UserKeyPackage,
} from './notification.js';

/** What the builder of a type is given: the notification without its name. */
type Given<T> = Omit<T, 'notificationType'>;

/**
 * The envelope of every MLS notification: no `resourceType`, no `providerId` at the top (OCM-MLS R-100), binary values
 * in base64url without padding (OCM-MLS R-007).
 */
const mls = (
  notificationType: string,
  { senderDomain, mlsGroupId }: Given<MlsApplication | MlsRejoin>,
  members: object,
) => ({
  notificationType,
  senderDomain,
  shareType: 'federation',
  notification: { federation: { mlsGroupId, ...members } },
});

export const mlsWelcome = (notice: Given<MlsWelcome>): object =>
  mls('MLS_WELCOME', notice, { userId: notice.userId, content: toBase64url(notice.content) });

export const mlsProposal = (notice: Given<MlsProposal>): object =>
  mls('MLS_PROPOSAL', notice, { content: toBase64url(notice.content) });

/** `proposals` stand before `content`, in the order in which the Commit refers to them. */
export const mlsCommit = (notice: Given<MlsCommit>): object =>
  mls('MLS_COMMIT', notice, {
    ...(notice.proposals.length > 0 ? { proposals: notice.proposals.map(toBase64url) } : {}),
    content: toBase64url(notice.content),
  });

export const mlsApplication = (notice: Given<MlsApplication>): object =>
  mls('MLS_APPLICATION', notice, { content: toBase64url(notice.content) });

/** The entry format of a KeyPackage. OCM-MLS section "KeyPackage Distribution" */
export const keyPackageEntry = (content: Uint8Array): object => ({
  mediaType: 'message/mls',
  encoding: 'base64url',
  content: toBase64url(content),
});

/** One entry for each user. OCM-MLS R-126 */
export const mlsRejoin = (notice: Given<MlsRejoin>): object =>
  mls('MLS_REJOIN', notice, {
    keyPackages: notice.keyPackages.map(({ userId, content }: UserKeyPackage) => ({
      userId,
      ...keyPackageEntry(content),
    })),
  });

/** `resourceType` and `shareType` are those of the share. OCM core section "Notifications" */
const share =
  (notificationType: (ShareNotification | ReshareRequest)['notificationType']) =>
  (given: Given<ShareNotification> | Given<ReshareRequest>): object => {
    const { senderDomain, resourceType, shareType, providerId, permissions, message } = given;
    return {
      notificationType,
      senderDomain,
      resourceType,
      ...(shareType === undefined ? {} : { shareType }),
      notification: {
        ...(message === undefined ? {} : { message }),
        file: {
          providerId,
          ...('shareWith' in given ? { shareWith: given.shareWith } : {}),
          ...(permissions === undefined ? {} : { permissions }),
        },
      },
    };
  };

/** Of what other servers send. @public */
export const shareAccepted = share('SHARE_ACCEPTED');
/** Of what other servers send. @public */
export const shareDeclined = share('SHARE_DECLINED');
export const shareUnshared = share('SHARE_UNSHARED');
/** Of what other servers send. @public */
export const requestReshare = share('REQUEST_RESHARE');
export const shareChangePermission = share('SHARE_CHANGE_PERMISSION');
