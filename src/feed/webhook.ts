import { createHmac } from 'node:crypto';
import type { HttpAnswer } from '../kernel/network.js';
import { retryAfterMs } from '../outbox/back-off.js';
import type { Cursor } from './cursor.js';
import type { EventFilter } from './event.js';

/** `paused` by whoever made it; `stopped` by this server, which says why. */
export const WEBHOOK_STATES = ['active', 'paused', 'stopped'] as const;
/**
 * `gone`: the receiver answered 410; `failing`: it took nothing for days; `gap`: events were forgotten before it had them.
 */
export const STOP_REASONS = ['gone', 'failing', 'gap'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** Where events are posted, in order, from a place in the feed on. https://www.standardwebhooks.com */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly filter: EventFilter;
  readonly state: (typeof WEBHOOK_STATES)[number];
  readonly reason?: StopReason;
  /** The last event that was taken, or is not to be told of. */
  readonly cursor: Cursor;
  /** In a row, with the time of the first of them. */
  readonly failures: number;
  readonly failingSince?: Date;
  /** Not sent to before. */
  readonly dueAt?: Date;
  /** `delivered`, an HTTP status, or the code of a fault. */
  readonly lastOutcome?: string;
  readonly deliveredAt?: Date;
  /** Until when the secret before signs too. */
  readonly earlierSecretUntil?: Date;
  readonly createdAt: Date;
}

/** With how many events it has not had, for it or not. */
export interface WebhookPicture {
  readonly webhook: Webhook;
  readonly backlog: number;
}

/** Who took nothing for so long is not tried any more until somebody says so. */
export const GIVEN_UP_AFTER_MS = 5 * 86_400_000;
/** How long a secret that was replaced goes on signing. */
export const EARLIER_SECRET_MS = 86_400_000;

const PREFIX = 'whsec_';

export const showSecret = (secret: Uint8Array): string => PREFIX + Buffer.from(secret).toString('base64');

/** One request, as it is signed. */
interface Message {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/**
 * The headers of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one signature for each secret that is good now.
 */
export function signedHeaders({ id, at, body }: Message, secrets: readonly Uint8Array[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** What came of one request. */
export type Sent =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly why: string; readonly waitMs: number };

/** By the status alone; what the answer says is not looked at. */
export function judgeAnswer({ status, headers }: HttpAnswer, at: Date): Sent {
  if (status >= 200 && status <= 299) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  return { kind: 'failed', why: String(status), waitMs: retryAfterMs(headers['retry-after'], at) };
}

type Progress = Pick<Webhook, 'cursor'>;

const stopped = (webhook: Webhook, reason: StopReason): Webhook => {
  const { dueAt: _, ...rest } = webhook;
  return { ...rest, state: 'stopped', reason };
};

/** It took all events up to the cursor. */
export function delivered(webhook: Webhook, { cursor }: Progress, at: Date | undefined): Webhook {
  const { failingSince: _, dueAt: __, ...rest } = webhook;
  return { ...rest, cursor, failures: 0, ...(at ? { lastOutcome: 'delivered', deliveredAt: at } : {}) };
}

/** @param waitMs until the next try */
export function failed(webhook: Webhook, why: string, at: Date, waitMs: number): Webhook {
  const failingSince = webhook.failingSince ?? at;
  const next = { ...webhook, failures: webhook.failures + 1, failingSince, lastOutcome: why };
  if (at.getTime() - failingSince.getTime() >= GIVEN_UP_AFTER_MS) return stopped(next, 'failing');
  return { ...next, dueAt: new Date(at.getTime() + waitMs) };
}

export const gone = (webhook: Webhook): Webhook => stopped({ ...webhook, lastOutcome: '410' }, 'gone');
export const lost = (webhook: Webhook): Webhook => stopped(webhook, 'gap');

export function paused(webhook: Webhook): Webhook {
  const { dueAt: _, reason: __, ...rest } = webhook;
  return { ...rest, state: 'paused' };
}

/** It goes on at once, as if it had never failed. */
export function resumed(webhook: Webhook, cursor: Cursor): Webhook {
  const { reason: _, failingSince: __, dueAt: ___, ...rest } = webhook;
  return { ...rest, state: 'active', cursor, failures: 0 };
}
