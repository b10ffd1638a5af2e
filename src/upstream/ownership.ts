import { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { fromUtf8 } from '../kernel/bytes.js';
import { domainOfKeyId, namedKeyId } from '../ocm/claimed-domain.js';
import { hostOfOldKeyId } from '../ocm/compat.js';
import { hostField, identifierField } from '../ocm/wire-body.js';
import { parseJson } from '../platform/json.js';
import { OUR_END_POINT } from './upstream-path.js';

/** Where a request asks that both this server and the file platform answer. */
export type Door = 'shares' | 'notifications' | 'token';

const DOORS: Readonly<Record<string, Door>> = {
  [`${OUR_END_POINT}/shares`]: 'shares',
  [`${OUR_END_POINT}/notifications`]: 'notifications',
  [`${OUR_END_POINT}/token`]: 'token',
};

/** The door at a path of ours, if that is one. */
export const doorOf = (path: string | undefined): Door | undefined => DOORS[path ?? ''];

/** Whose a request is, or what has to be looked up to know it. */
export type Verdict =
  | { readonly kind: 'ours' }
  | { readonly kind: 'theirs' }
  /** Ours when a share of ours has one of these names; `from` says whose names they are if the share was received. */
  | { readonly kind: 'named'; readonly providerIds: readonly string[]; readonly from?: Host }
  /** Ours when one of these is a secret of ours. */
  | { readonly kind: 'secret'; readonly secrets: readonly string[] };

const OURS: Verdict = { kind: 'ours' };
const THEIRS: Verdict = { kind: 'theirs' };

type SignatureInput = string | string[] | undefined;

/** What is looked up for one request; nobody needs more. */
const MOST = 4;

const said = identifierField.optional().catch(undefined);
const detail = z.object({ providerId: said }).optional().catch(undefined);
const share = z.object({ shareType: said });
const notification = z.object({
  notificationType: said,
  shareType: said,
  senderDomain: hostField.optional().catch(undefined),
  providerId: said,
  notification: z.object({ providerId: said, file: detail, folder: detail }).optional().catch(undefined),
});
const token = z.object({ code: said });

const judges: Record<Door, (body: Uint8Array, signatureInput: SignatureInput) => Verdict> = {
  shares: (body) => (read(share, body)?.shareType === 'federation' ? OURS : THEIRS),
  notifications: judgeNotification,
  token: judgeTokenRequest,
};

/**
 * Whose a request is, by its body alone: who sends it is not proved yet, and need not be, since either side judges that
 * for itself. What cannot be read is theirs. D-29
 */
export const whose = (door: Door, body: Uint8Array, signatureInput: SignatureInput): Verdict =>
  judges[door](body, signatureInput);

/**
 * What is said of a share is ours when the share is, by whatever name it is called: the old forms put the providerId
 * elsewhere. OCM core section 6 and notes, item 9; D-02
 */
function judgeNotification(body: Uint8Array, signatureInput: SignatureInput): Verdict {
  const found = read(notification, body);
  if (!found) return THEIRS;
  const { notificationType, shareType, senderDomain, providerId, notification: inner } = found;
  if (notificationType?.startsWith('MLS_') || shareType === 'federation') return OURS;
  const ids = [providerId, inner?.providerId, inner?.file?.providerId, inner?.folder?.providerId];
  const providerIds = distinct(ids);
  if (providerIds.length === 0) return THEIRS;
  // Ids of others are theirs to give: what they call a share with a user is no share with a group.
  const from = shareType === undefined ? (senderDomain ?? signer(signatureInput)) : undefined;
  return { kind: 'named', providerIds, ...(from && { from }) };
}

/** A secret is looked for wherever a reader of the request may find one. OCM core, Code Flow */
function judgeTokenRequest(body: Uint8Array): Verdict {
  const secrets = distinct([read(token, body)?.code, ...new URLSearchParams(latin1(body)).getAll('code')]);
  return secrets.length === 0 ? THEIRS : { kind: 'secret', secrets };
}

/** The oldest bodies do not say who sends them. */
function signer(signatureInput: SignatureInput): Host | undefined {
  const keyId = namedKeyId(signatureInput);
  try {
    return hostOfOldKeyId(keyId) ?? domainOfKeyId(keyId);
  } catch {
    return undefined;
  }
}

function read<T>(schema: z.ZodType<T>, body: Uint8Array): T | undefined {
  try {
    return schema.safeParse(parseJson(body)).data;
  } catch {
    return undefined;
  }
}

/** A form is ASCII; what else stands there is in no secret of ours. */
function latin1(body: Uint8Array): string {
  try {
    return fromUtf8(body);
  } catch {
    return '';
  }
}

const distinct = (texts: readonly (string | undefined)[]): string[] =>
  [...new Set(texts.filter((text) => text !== undefined && text !== '' && text.length <= 512) as string[])].slice(
    0,
    MOST,
  );
