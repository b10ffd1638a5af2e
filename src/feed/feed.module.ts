import { Module, type OnModuleInit } from '@nestjs/common';
import { Config } from '../platform/config.js';
import { Metrics } from '../platform/metrics.service.js';
import { Poller } from '../platform/poller.service.js';
import { EventRepository, EventRow, HeadRow } from './event.repository.js';
import { EventsController } from './events.controller.js';
import { PlacingWorker } from './placing.worker.js';
import { PruningWorker } from './pruning.worker.js';
import { FeedReading } from './reading.service.js';
import { FeedRecorder } from './recorder.service.js';
import { SendingWorker } from './sending.worker.js';
import { StreamsWorker } from './streams.worker.js';
import { WebhookClient } from './webhook.client.js';
import { WebhookRepository, WebhookRow } from './webhook.repository.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksService } from './webhooks.service.js';

export const FEED_ROWS = [EventRow, HeadRow, WebhookRow];

/** Webhooks that are sent to at the same time. */
const LOOPS = 4;

/** What changed, for the file platform: recorded by the folders to the right, read here. */
@Module({
  providers: [
    EventRepository,
    FeedRecorder,
    FeedReading,
    StreamsWorker,
    PlacingWorker,
    PruningWorker,
    WebhookRepository,
    WebhookClient,
    WebhooksService,
    SendingWorker,
  ],
  controllers: [EventsController, WebhooksController],
  exports: [FeedRecorder, WebhooksService],
})
export class FeedModule implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly webhooks: WebhooksService,
    poller: Poller,
    metrics: Metrics,
    placing: PlacingWorker,
    pruning: PruningWorker,
    streams: StreamsWorker,
    sending: SendingWorker,
  ) {
    poller.add(placing, { everyMs: 1_000 });
    poller.add(streams, { everyMs: 1_000 });
    poller.add(sending, { everyMs: 1_000, loops: LOOPS });
    poller.add(pruning, { everyMs: 600_000 });
    metrics.beforeReading(() => webhooks.measure());
  }

  /** The embedded database serves one process: whoever sent to a webhook is gone. */
  async onModuleInit(): Promise<void> {
    if (this.config.databaseUrl === undefined) await this.webhooks.forgetClaims();
  }
}
