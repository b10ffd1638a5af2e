import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import type { AuditAct } from '../platform/audit-entry.js';
import { Metrics } from '../platform/metrics.service.js';
import { Poller } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import type { Start } from './cursor.js';
import type { EventFilter } from './event.js';
import { EventRepository } from './event.repository.js';
import { SENDING } from './placing.worker.js';
import { FeedReading } from './reading.service.js';
import { EARLIER_SECRET_MS, paused, resumed, type Sent, type Webhook, type WebhookPicture } from './webhook.js';
import { WebhookClient } from './webhook.client.js';
import { WebhookRepository } from './webhook.repository.js';

const SECRET_BYTES = 32;
const MOST = 50;

interface NewWebhook extends EventFilter {
  readonly url: string;
  readonly after: Start;
}

/** What the file platform may do with webhooks. All throw `webhook.unknown` for what is none. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly webhooks: WebhookRepository,
    private readonly events: EventRepository,
    private readonly reading: FeedReading,
    private readonly client: WebhookClient,
    private readonly audit: AuditLog,
    private readonly poller: Poller,
    private readonly metrics: Metrics,
  ) {}

  /**
   * With its secret, which is shown now and never again. Throws `webhook.url-refused`, `webhook.too-many`,
   * `feed.cursor-expired`, `feed.cursor-unknown`.
   */
  async add({ url, after, ...filter }: NewWebhook): Promise<{ webhook: Webhook; secret: Uint8Array }> {
    this.client.requireReachable(url);
    const secret = this.dice.bytes(SECRET_BYTES);
    const id = this.dice.uuid();
    const webhook = await this.db.run(async (tx) => {
      if ((await this.webhooks.all(tx)).length >= MOST) throw new Fault('webhook.too-many', { most: MOST });
      const cursor = await this.reading.beginIn(tx, after);
      const made = { id, url, filter, state: 'active', cursor, failures: 0, createdAt: this.clock.now() } as const;
      await this.webhooks.add(tx, made, secret);
      await this.tell(tx, 'webhook.made', made);
      return made;
    });
    this.poller.wake(SENDING);
    return { webhook, secret };
  }

  list(): Promise<WebhookPicture[]> {
    return this.db.run(async (tx) => {
      const { head } = await this.events.ends(tx);
      return (await this.webhooks.all(tx)).map((webhook) => pictureOf(webhook, head.position));
    });
  }

  get(id: string): Promise<WebhookPicture> {
    return this.db.run(async (tx) => {
      const webhook = await this.webhooks.byId(tx, id);
      if (!webhook) throw new Fault('webhook.unknown', { webhook: id });
      return pictureOf(webhook, (await this.events.ends(tx)).head.position);
    });
  }

  /** What is on its way may still arrive. */
  pause(id: string): Promise<WebhookPicture> {
    return this.change(id, 'webhook.paused', (_, webhook) => Promise.resolve(paused(webhook)));
  }

  /**
   * From where it stands, or from another place in the feed on: what it had before is then sent again, with the same ids.
   * Throws `feed.cursor-expired` when that is forgotten, `feed.cursor-unknown`.
   */
  async resume(id: string, after?: Start): Promise<WebhookPicture> {
    const picture = await this.change(id, 'webhook.resumed', async (tx, webhook) =>
      resumed(webhook, await this.reading.beginIn(tx, after ?? webhook.cursor)),
    );
    this.poller.wake(SENDING);
    return picture;
  }

  /** Another secret, shown now and never again. The one before signs for a day more. */
  async exchangeSecret(id: string): Promise<Uint8Array> {
    const secret = this.dice.bytes(SECRET_BYTES);
    const until = new Date(this.clock.now().getTime() + EARLIER_SECRET_MS);
    await this.db.run(async (tx) => {
      const webhook = await this.locked(tx, id);
      await this.webhooks.exchangeSecret(tx, id, secret, until);
      await this.tell(tx, 'webhook.secret-exchanged', webhook);
    });
    return secret;
  }

  async remove(id: string): Promise<void> {
    await this.db.run(async (tx) => {
      const webhook = await this.locked(tx, id);
      await this.webhooks.remove(tx, id);
      await this.tell(tx, 'webhook.removed', webhook);
    });
  }

  /** Sends an event that is in no feed, whatever the webhook's state is, and says what came of it. */
  async test(id: string): Promise<Sent> {
    const now = this.clock.now();
    const { url, secrets } = await this.db.run(async (tx) => {
      const webhook = await this.webhooks.byId(tx, id);
      if (!webhook) throw new Fault('webhook.unknown', { webhook: id });
      return { url: webhook.url, secrets: await this.webhooks.secrets(tx, id, now) };
    });
    const payload = { type: 'webhook.test', timestamp: now.toISOString(), data: { webhook: id } };
    return this.client.post(url, `test-${this.dice.uuid()}`, payload, secrets);
  }

  /** For the start of a process that has the database to itself. */
  async forgetClaims(): Promise<void> {
    await this.db.statement((tx) => this.webhooks.releaseAll(tx));
  }

  /** How far the feed has come and who is behind, for whoever reads the metrics now. */
  async measure(): Promise<void> {
    const now = this.clock.now().getTime();
    await this.db.run(async (tx) => {
      const { head, pruned } = await this.events.ends(tx);
      this.metrics.feed({ position: head.position, kept: head.position - pruned.position });
      const all = [];
      for (const { id, state, cursor } of await this.webhooks.all(tx)) {
        const since = await this.events.recordedAfter(tx, Math.max(cursor.position, pruned.position));
        const lagSeconds = since ? (now - since.getTime()) / 1000 : 0;
        all.push({ id, state, backlog: head.position - cursor.position, lagSeconds });
      }
      this.metrics.webhooks(all);
    });
  }

  private change(
    id: string,
    act: AuditAct,
    next: (tx: Tx, webhook: Webhook) => Promise<Webhook>,
  ): Promise<WebhookPicture> {
    return this.db.run(async (tx) => {
      const webhook = await next(tx, await this.locked(tx, id));
      await this.webhooks.takeBack(tx, webhook);
      await this.tell(tx, act, webhook);
      return pictureOf(webhook, (await this.events.ends(tx)).head.position);
    });
  }

  private async locked(tx: Tx, id: string): Promise<Webhook> {
    const webhook = await this.webhooks.lock(tx, id);
    if (!webhook) throw new Fault('webhook.unknown', { webhook: id });
    return webhook;
  }

  /** Of the URL the host alone: what stands behind it may be a secret. */
  private tell(tx: Tx, act: AuditAct, { id, url, cursor }: Webhook): Promise<void> {
    return this.audit.record(tx, { act, subject: id, facts: { host: new URL(url).host, position: cursor.position } });
  }
}

const pictureOf = (webhook: Webhook, head: number): WebhookPicture => ({
  webhook,
  backlog: head - webhook.cursor.position,
});
