import { z } from 'zod';
import type { Host, OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { MlsGroupId } from '../kernel/ids.js';
import {
  addressField,
  contentField,
  groupIdField,
  hostField,
  identifierField,
  parseBody,
  textField,
} from './wire-body.js';

/** A KeyPackage of a user, as a rejoin request carries it; `userId` is a whole address always. OCM-MLS R-047 */
export interface UserKeyPackage {
  readonly userId: OcmAddress;
  readonly content: Uint8Array;
}

interface Notice<Type extends string> {
  readonly notificationType: Type;
  /** The server that speaks; the guard has bound the signature to it. */
  readonly senderDomain: Host;
}

/** `mlsGroupId` is a hint for routing; what counts is the group id within the MLS message. OCM-MLS R-101 */
interface MlsNotice<Type extends string> extends Notice<Type> {
  readonly mlsGroupId: MlsGroupId;
}

export type MlsWelcome = MlsNotice<'MLS_WELCOME'> & { readonly userId: OcmAddress; readonly content: Uint8Array };
export type MlsProposal = MlsNotice<'MLS_PROPOSAL'> & { readonly content: Uint8Array };
export type MlsCommit = MlsNotice<'MLS_COMMIT'> & {
  /** Proposals that the Commit refers to, in the order of the references. */
  readonly proposals: readonly Uint8Array[];
  readonly content: Uint8Array;
};
export type MlsApplication = MlsNotice<'MLS_APPLICATION'> & { readonly content: Uint8Array };
export type MlsRejoin = MlsNotice<'MLS_REJOIN'> & { readonly keyPackages: readonly UserKeyPackage[] };

export type ShareNotification = Notice<
  'SHARE_ACCEPTED' | 'SHARE_DECLINED' | 'SHARE_UNSHARED' | 'SHARE_CHANGE_PERMISSION'
> & {
  readonly resourceType: string;
  readonly shareType?: string;
  readonly providerId: string;
  readonly permissions?: readonly string[];
  readonly message?: string;
};

/** A receiving server asks that somebody else be given the share; it may not do so itself. OCM core section 6 */
export type ReshareRequest = Notice<'REQUEST_RESHARE'> & {
  readonly resourceType: string;
  readonly shareType?: string;
  readonly providerId: string;
  readonly shareWith: OcmAddress;
  readonly permissions?: readonly string[];
  readonly message?: string;
};

/** What other servers tell us. OCM core section "Notifications", OCM-MLS section "MLS Notification Types" */
export type Notification =
  MlsWelcome | MlsProposal | MlsCommit | MlsApplication | MlsRejoin | ShareNotification | ReshareRequest;

const MOST_PROPOSALS = 1000;
const MOST_KEY_PACKAGES = 200;

const envelope = { senderDomain: hostField };

const federation = <T extends z.ZodRawShape>(members: T) =>
  z.object({
    ...envelope,
    shareType: z.literal('federation'),
    notification: z.object({ federation: z.object({ mlsGroupId: groupIdField, ...members }) }),
  });

const keyPackage = z.object({
  userId: addressField,
  mediaType: z.literal('message/mls'),
  encoding: z.literal('base64url'),
  content: contentField,
});

/** Names as registered. OCM-MLS R-226, section "IANA Considerations" */
const MLS = {
  MLS_WELCOME: federation({ userId: addressField, content: contentField }),
  MLS_PROPOSAL: federation({ content: contentField }),
  MLS_COMMIT: federation({ proposals: z.array(contentField).max(MOST_PROPOSALS).default([]), content: contentField }),
  MLS_APPLICATION: federation({ content: contentField }),
  MLS_REJOIN: federation({ keyPackages: z.array(keyPackage).min(1).max(MOST_KEY_PACKAGES) }),
};

const detail = z.object({ providerId: identifierField, permissions: z.array(textField(50)).max(20).optional() });

const about = <T extends z.ZodType<object>>(of: T) =>
  z
    .object({
      ...envelope,
      resourceType: identifierField,
      shareType: identifierField.optional(),
      /** Whether a folder's detail is called `file` too is not said. OCM core, notes, item 8 */
      notification: z.object({ message: textField().optional(), file: of.optional(), folder: of.optional() }),
    })
    .transform(({ notification: { message, file, folder }, ...rest }, context) => {
      const found = file ?? folder;
      if (found) return { ...rest, ...found, ...(message === undefined ? {} : { message }) };
      context.addIssue({ code: 'custom', path: ['notification', 'file'], message: 'required' });
      return z.NEVER;
    });
const share = about(detail);
const reshare = about(detail.extend({ shareWith: addressField }));

const SHARE = ['SHARE_ACCEPTED', 'SHARE_DECLINED', 'SHARE_UNSHARED', 'SHARE_CHANGE_PERMISSION'] as const;

const isMls = (type: string): type is keyof typeof MLS => Object.hasOwn(MLS, type);
const isShare = (type: string): type is (typeof SHARE)[number] => (SHARE as readonly string[]).includes(type);

const typed = z.object({ notificationType: identifierField });

/**
 * Reads the body of a notification. Throws `notification.unsupported` for a type that is not taken here, and
 * `body.malformed` with the fields that are wrong.
 */
export function parseNotification(body: unknown): Notification {
  const { notificationType } = parseBody(typed, body);
  if (isShare(notificationType)) return { notificationType, ...parseBody(share, body) } as ShareNotification;
  if (notificationType === 'REQUEST_RESHARE')
    return { notificationType, ...parseBody(reshare, body) } as ReshareRequest;
  if (!isMls(notificationType)) throw new Fault('notification.unsupported', { notificationType });
  const schema: z.ZodType<{ senderDomain: Host; notification: { federation: object } }> = MLS[notificationType];
  const { senderDomain, notification } = parseBody(schema, body);
  return { notificationType, senderDomain, ...notification.federation } as Notification;
}
