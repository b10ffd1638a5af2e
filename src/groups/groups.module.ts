import { Module } from '@nestjs/common';
import { FeedModule } from '../feed/feed.module.js';
import { MlsModule } from '../mls/mls.module.js';
import { OcmModule } from '../ocm/ocm.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { Poller } from '../platform/poller.service.js';
import { ApprovalRepository, ApprovalRow } from './approval.repository.js';
import { ApprovalQueue } from './approval-queue.service.js';
import { ApprovalsController } from './approvals.controller.js';
import { ApprovalsService } from './approvals.service.js';
import { ApprovalsWorker } from './approvals.worker.js';
import { ChangeRepository, ChangeRow } from './change.repository.js';
import { ChangesController } from './changes.controller.js';
import { ChangesService } from './changes.service.js';
import { CommitLogRepository, CommitRow } from './commit-log.repository.js';
import { CommitLogWorker } from './commit-log.worker.js';
import { CommitsService } from './commits.service.js';
import { CommittingService } from './committing.service.js';
import { CommittingWorker } from './committing.worker.js';
import { DriftRepository, DriftRow } from './drift.repository.js';
import { DriftService } from './drift.service.js';
import { DoubtRepository, DoubtRow } from './doubt.repository.js';
import { DoubtsWorker } from './doubts.worker.js';
import { EpochsService } from './epochs.service.js';
import { FailoverService } from './failover.service.js';
import { FailoverWorker } from './failover.worker.js';
import { DepartureRepository, DepartureRow } from './departure.repository.js';
import { FollowerRepository, FollowerRow } from './follower.repository.js';
import { Following } from './following.service.js';
import { GapRepairWorker } from './gap-repair.worker.js';
import { GapRepository, GapRow } from './gap.repository.js';
import { GroupRepository, GroupRow } from './group.repository.js';
import { GroupVersionRepository, GroupVersionRow } from './group-version.repository.js';
import { GroupTurns } from './group-turn.service.js';
import { GroupsController } from './groups.controller.js';
import { QueuedProposalRepository, QueuedProposalRow } from './queued-proposal.repository.js';
import { HeldEpochRepository, HeldEpochRow } from './held-epoch.repository.js';
import { LeavingService } from './leaving.service.js';
import { LifecycleService } from './lifecycle.service.js';
import { MemberRepository, MemberRow } from './member.repository.js';
import { MissedCommitsClient } from './missed-commits.client.js';
import { MissedCommitsController } from './missed-commits.controller.js';
import { MissedCommitsService } from './missed-commits.service.js';
import { OwnReturnService } from './own-return.service.js';
import { PreparingService } from './preparing.service.js';
import { PreparingWorker } from './preparing.worker.js';
import { ProposalsService } from './proposals.service.js';
import { RevertingService } from './reverting.service.js';
import { TakeoverService } from './takeover.service.js';
import { TakeoverWatchRepository, TakeoverWatchRow } from './takeover-watch.repository.js';
import { UpkeepService } from './upkeep.service.js';
import { UpkeepWorker } from './upkeep.worker.js';
import { ReinitRepository, ReinitRow } from './reinit.repository.js';
import { ReinitService } from './reinit.service.js';
import { ReinitWorker } from './reinit.worker.js';
import { RejoinRequestRepository, RejoinRequestRow } from './rejoin-request.repository.js';
import { RejoiningWorker } from './rejoining.worker.js';
import { RejoinsService } from './rejoins.service.js';
import { RestoredBackupService } from './restored-backup.service.js';
import { ProposedWorker } from './proposed.worker.js';
import { ProposingService } from './proposing.service.js';
import { SubmissionsWorker } from './submissions.worker.js';
import { SuccessorKeyPackageRepository, SuccessorKeyPackageRow } from './successor-key-package.repository.js';
import { WelcomesService } from './welcomes.service.js';

export const GROUPS_ROWS = [
  GroupRow,
  GroupVersionRow,
  MemberRow,
  CommitRow,
  DepartureRow,
  FollowerRow,
  ChangeRow,
  QueuedProposalRow,
  GapRow,
  TakeoverWatchRow,
  HeldEpochRow,
  ReinitRow,
  SuccessorKeyPackageRow,
  DriftRow,
  DoubtRow,
  RejoinRequestRow,
  ApprovalRow,
];

/** Groups live by MLS alone, carried on `/notifications`; shares and tokens stand to the right of them. OCM-MLS R-005 */
@Module({
  imports: [OcmModule, MlsModule, OutboxModule, FeedModule],
  providers: [
    GroupRepository,
    GroupVersionRepository,
    GroupTurns,
    MemberRepository,
    CommitLogRepository,
    DepartureRepository,
    FollowerRepository,
    Following,
    ChangeRepository,
    QueuedProposalRepository,
    GapRepository,
    TakeoverWatchRepository,
    HeldEpochRepository,
    FailoverService,
    RevertingService,
    TakeoverService,
    ReinitRepository,
    SuccessorKeyPackageRepository,
    DriftRepository,
    DoubtRepository,
    RejoinRequestRepository,
    ApprovalRepository,
    ApprovalQueue,
    ApprovalsService,
    EpochsService,
    ReinitService,
    ReinitWorker,
    CommitsService,
    CommittingService,
    ProposalsService,
    ProposingService,
    WelcomesService,
    LifecycleService,
    ChangesService,
    LeavingService,
    PreparingService,
    CommittingWorker,
    PreparingWorker,
    SubmissionsWorker,
    MissedCommitsService,
    MissedCommitsClient,
    GapRepairWorker,
    FailoverWorker,
    UpkeepService,
    UpkeepWorker,
    CommitLogWorker,
    DriftService,
    OwnReturnService,
    RejoinsService,
    RejoiningWorker,
    DoubtsWorker,
    RestoredBackupService,
    ProposedWorker,
    ApprovalsWorker,
  ],
  controllers: [GroupsController, ChangesController, MissedCommitsController, ApprovalsController],
  exports: [
    DriftService,
    GapRepository,
    CommitLogRepository,
    RejoinsService,
    GroupRepository,
    GroupVersionRepository,
    MemberRepository,
    DepartureRepository,
    FollowerRepository,
    Following,
    CommitsService,
    ProposalsService,
    WelcomesService,
    LifecycleService,
    ChangeRepository,
    ChangesService,
    LeavingService,
  ],
})
export class GroupsModule {
  constructor(
    poller: Poller,
    committing: CommittingWorker,
    preparing: PreparingWorker,
    submissions: SubmissionsWorker,
    gapRepair: GapRepairWorker,
    failover: FailoverWorker,
    upkeep: UpkeepWorker,
    reinits: ReinitWorker,
    commitLog: CommitLogWorker,
    rejoining: RejoiningWorker,
    doubts: DoubtsWorker,
    proposed: ProposedWorker,
    approvals: ApprovalsWorker,
  ) {
    poller.add(preparing, { everyMs: 5_000, loops: 4 });
    poller.add(committing, { everyMs: 5_000 });
    poller.add(submissions, { everyMs: 1_000 });
    poller.add(gapRepair, { everyMs: 5_000 });
    poller.add(failover, { everyMs: 60_000 });
    poller.add(upkeep, { everyMs: 30_000 });
    poller.add(reinits, { everyMs: 5_000 });
    poller.add(commitLog, { everyMs: 600_000 });
    poller.add(rejoining, { everyMs: 60_000 });
    poller.add(doubts, { everyMs: 30_000 });
    poller.add(proposed, { everyMs: 1_000 });
    poller.add(approvals, { everyMs: 60_000 });
  }
}
