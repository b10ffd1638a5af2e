import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { isFault } from '../kernel/fault.js';
import { jitterFrom, waitAfter } from '../outbox/back-off.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import type { Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { showCursor } from './cursor.js';
import type { PlacedEvent } from './event.js';
import { SENDING } from './placing.worker.js';
import { FeedReading } from './reading.service.js';
import { delivered, failed, gone, lost, type Webhook } from './webhook.js';
import { WebhookClient } from './webhook.client.js';
import { type Claimed, WebhookRepository } from './webhook.repository.js';

/** So many are looked at in a turn. */
const PAGE = 200;
/** What was taken is stored no later than this, between two events. */
const STORE_EVERY_MS = 1_000;
/** Then the webhook goes to the end of the queue. */
const LONGEST_TURN_MS = 10_000;
/** The wait between two tries does not grow beyond this: an EFSS that is back is not kept waiting. */
const LONGEST_WAIT_MS = 600_000;

/**
 * Sends events to webhooks, to each in the order of the feed, one after the other: the next one leaves when the one before
 * was taken. What was sent and not stored before a crash is sent again, with the same `webhook-id`.
 */
@Injectable()
export class SendingWorker implements Turn {
  readonly name = SENDING;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly webhooks: WebhookRepository,
    private readonly reading: FeedReading,
    private readonly client: WebhookClient,
    private readonly audit: AuditLog,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  async turn(): Promise<boolean> {
    const at = this.clock.now();
    const claimed = await this.db.runIf(
      (tx) => this.webhooks.waits(tx, at),
      (tx) => this.webhooks.claim(tx, at, this.leaseFrom(at)),
    );
    if (!claimed) return false;
    await this.serve(claimed, at);
    return true;
  }

  private async serve(first: Claimed, startedAt: Date): Promise<void> {
    let [claimed, storedAt, toldAt] = [first, startedAt, undefined as Date | undefined];
    const stretch = await this.next(claimed.webhook);
    if (!stretch) return this.leave(claimed, lost(claimed.webhook));
    let cursor = claimed.webhook.cursor;
    for (const event of stretch.events) {
      const at = this.clock.now();
      if (at.getTime() - startedAt.getTime() >= LONGEST_TURN_MS) break;
      if (at.getTime() - storedAt.getTime() >= STORE_EVERY_MS) {
        const until = this.leaseFrom(at);
        const webhook = delivered(claimed.webhook, { cursor }, toldAt);
        if (!(await this.store(claimed, webhook, until))) return;
        [claimed, storedAt] = [{ ...claimed, webhook, until }, at];
      }
      const sent = await this.client.post(claimed.webhook.url, showCursor(event), payloadOf(event), claimed.secrets);
      this.metrics.webhookSettled(sent.kind);
      if (sent.kind !== 'delivered') {
        const webhook = toldAt ? delivered(claimed.webhook, { cursor }, toldAt) : { ...claimed.webhook, cursor };
        if (sent.kind === 'gone') return this.leave(claimed, gone(webhook));
        const now = this.clock.now();
        const wait = Math.max(this.waitAfter(webhook.failures + 1), sent.waitMs);
        return this.leave(claimed, failed(webhook, sent.why, now, wait));
      }
      toldAt = this.clock.now();
      cursor = { position: event.position, mark: event.mark };
    }
    const isThrough = cursor.position === (stretch.events.at(-1)?.position ?? cursor.position);
    const upTo = isThrough ? stretch.upTo : cursor;
    // Where nothing was to be told nothing is known of whether the receiver is well.
    const { webhook } = claimed;
    await this.leave(claimed, toldAt ? delivered(webhook, { cursor: upTo }, toldAt) : { ...webhook, cursor: upTo });
  }

  /** Nothing when events were forgotten that this one has not had, or are not those that it had. */
  private async next({ cursor, filter }: Webhook) {
    try {
      return await this.reading.after(await this.reading.begin(cursor), filter, PAGE);
    } catch (error) {
      if (isFault(error, 'feed.cursor-expired') || isFault(error, 'feed.cursor-unknown')) return undefined;
      throw error;
    }
  }

  private async leave(claimed: Claimed, webhook: Webhook): Promise<void> {
    if (!(await this.store(claimed, webhook, null))) return;
    const { id, reason, lastOutcome, failures } = webhook;
    if (webhook.state === 'stopped') {
      this.log.error({ event: 'webhook.stopped', webhook: id, reason }, 'a webhook is sent to no more');
    } else if (webhook.failures > 0) {
      this.log.warn({ event: 'webhook.failed', webhook: id, why: lastOutcome, failures }, 'will be tried again');
    }
  }

  /** Returns whether it was still ours. */
  private store({ claim }: Claimed, webhook: Webhook, until: Date | null): Promise<boolean> {
    return this.db.run(async (tx) => {
      if (!(await this.webhooks.store(tx, webhook, claim, until))) {
        this.log.warn({ event: 'webhook.lost', webhook: webhook.id }, 'somebody else sends to a webhook now');
        return false;
      }
      if (webhook.state === 'stopped') {
        await this.audit.record(tx, {
          act: 'webhook.stopped',
          actor: this.config.domain,
          subject: webhook.id,
          facts: { reason: webhook.reason, lastOutcome: webhook.lastOutcome },
        });
      }
      return true;
    });
  }

  /** Longer than a store and one more exchange. */
  private leaseFrom(at: Date): Date {
    return new Date(at.getTime() + LONGEST_TURN_MS + 2 * this.config.peerTimeoutMs);
  }

  private waitAfter(failures: number): number {
    const { deliveryFirstDelayMs: firstMs } = this.config;
    return waitAfter(failures, jitterFrom(this.dice.bytes(4)), { firstMs, longestMs: LONGEST_WAIT_MS });
  }
}

const payloadOf = ({ type, recordedAt, data }: PlacedEvent) => ({ type, timestamp: recordedAt.toISOString(), data });
