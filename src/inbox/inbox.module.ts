import { Module } from '@nestjs/common';
import { GroupsModule } from '../groups/groups.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { OcmModule } from '../ocm/ocm.module.js';
import { Poller } from '../platform/poller.service.js';
import { SharesModule } from '../shares/shares.module.js';
import { DispatchService } from './dispatch.service.js';
import { EarlyMailRow, EarlyRepository } from './early.repository.js';
import { NotificationsController } from './notifications.controller.js';
import { RefusalsService } from './refusals.service.js';
import { ReplayWorker } from './replay.worker.js';

export const INBOX_ROWS = [EarlyMailRow];

@Module({
  imports: [OcmModule, OutboxModule, GroupsModule, SharesModule],
  providers: [EarlyRepository, DispatchService, RefusalsService, ReplayWorker],
  controllers: [NotificationsController],
})
export class InboxModule {
  constructor(poller: Poller, replay: ReplayWorker) {
    poller.add(replay, { everyMs: 2_000 });
  }
}
