import { Module } from '@nestjs/common';
import { FeedModule } from '../feed/feed.module.js';
import { GroupsModule } from '../groups/groups.module.js';
import { MlsModule } from '../mls/mls.module.js';
import { OcmModule } from '../ocm/ocm.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { DoctorController } from './doctor.controller.js';
import { DoctorService } from './doctor.service.js';
import { TrustController } from './trust.controller.js';

/** For whoever runs the server. */
@Module({
  imports: [OcmModule, MlsModule, OutboxModule, GroupsModule, FeedModule],
  providers: [DoctorService],
  controllers: [DoctorController, TrustController],
})
export class ConsoleModule {}
