import { Module } from '@nestjs/common';
import { MlsModule } from '../mls/mls.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { Poller } from '../platform/poller.service.js';
import { ChangeRepository, ChangeRow } from './change.repository.js';
import { ChangesController } from './changes.controller.js';
import { ChangesService } from './changes.service.js';
import { CommitLogRepository, CommitRow } from './commit-log.repository.js';
import { CommitsService } from './commits.service.js';
import { CommittingService } from './committing.service.js';
import { CommittingWorker } from './committing.worker.js';
import { EpochsService } from './epochs.service.js';
import { FollowerRepository, FollowerRow } from './follower.repository.js';
import { GroupRepository, GroupRow } from './group.repository.js';
import { GroupsController } from './groups.controller.js';
import { QueuedProposalRepository, QueuedProposalRow } from './queued-proposal.repository.js';
import { LifecycleService } from './lifecycle.service.js';
import { MemberRepository, MemberRow } from './member.repository.js';
import { PreparingService } from './preparing.service.js';
import { PreparingWorker } from './preparing.worker.js';
import { ProposalsService } from './proposals.service.js';
import { SubmissionsWorker } from './submissions.worker.js';
import { WelcomesService } from './welcomes.service.js';

export const GROUPS_ROWS = [GroupRow, MemberRow, CommitRow, FollowerRow, ChangeRow, QueuedProposalRow];

@Module({
  imports: [MlsModule, OutboxModule],
  providers: [
    GroupRepository,
    MemberRepository,
    CommitLogRepository,
    FollowerRepository,
    ChangeRepository,
    QueuedProposalRepository,
    EpochsService,
    CommitsService,
    CommittingService,
    ProposalsService,
    WelcomesService,
    LifecycleService,
    ChangesService,
    PreparingService,
    CommittingWorker,
    PreparingWorker,
    SubmissionsWorker,
  ],
  controllers: [GroupsController, ChangesController],
  exports: [
    GroupRepository,
    MemberRepository,
    FollowerRepository,
    CommitsService,
    ProposalsService,
    WelcomesService,
    LifecycleService,
  ],
})
export class GroupsModule {
  constructor(
    poller: Poller,
    committing: CommittingWorker,
    preparing: PreparingWorker,
    submissions: SubmissionsWorker,
  ) {
    poller.add(preparing, { everyMs: 5_000, loops: 4 });
    poller.add(committing, { everyMs: 5_000 });
    poller.add(submissions, { everyMs: 1_000 });
  }
}
