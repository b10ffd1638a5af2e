import { Module, type OnModuleInit } from '@nestjs/common';
import { OcmModule } from '../ocm/ocm.module.js';
import { Config } from '../platform/config.js';
import { Metrics } from '../platform/metrics.service.js';
import { Poller } from '../platform/poller.service.js';
import { CourierWorker } from './courier.worker.js';
import { DeliveriesController } from './deliveries.controller.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveryService } from './delivery.service.js';
import { HeardWorker } from './heard.worker.js';
import { LaneRepository, LaneRow } from './lane.repository.js';
import { LetterRepository, LetterRow } from './letter.repository.js';
import { Outbox } from './outbox.service.js';
import { PeerHealthRepository, PeerHealthRow } from './peer-health.repository.js';
import { PruneWorker } from './prune.worker.js';
import { ReleaseWorker } from './release.worker.js';
import { RevivalService } from './revival.service.js';

export const OUTBOX_ROWS = [PeerHealthRow, LaneRow, LetterRow];

@Module({
  imports: [OcmModule],
  providers: [
    PeerHealthRepository,
    LaneRepository,
    LetterRepository,
    Outbox,
    DeliveryService,
    DeliveriesService,
    RevivalService,
    CourierWorker,
    HeardWorker,
    PruneWorker,
    ReleaseWorker,
  ],
  controllers: [DeliveriesController],
  exports: [Outbox, DeliveriesService],
})
export class OutboxModule implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly delivery: DeliveryService,
    poller: Poller,
    metrics: Metrics,
    deliveries: DeliveriesService,
    courier: CourierWorker,
    heard: HeardWorker,
    prune: PruneWorker,
    release: ReleaseWorker,
  ) {
    poller.add(courier, { everyMs: 1_000, loops: config.deliveryLoops });
    poller.add(heard, { everyMs: 1_000 });
    poller.add(release, { everyMs: 5_000 });
    poller.add(prune, { everyMs: 3_600_000 });
    metrics.beforeReading(() => deliveries.measure());
  }

  /** The embedded database serves one process: whoever held a lane is gone. */
  async onModuleInit(): Promise<void> {
    if (this.config.databaseUrl === undefined) await this.delivery.forgetClaims();
  }
}
