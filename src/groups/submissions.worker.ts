import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { type FaultCode, FAULTS } from '../kernel/fault.js';
import { type CommitDigest, epoch, type Epoch } from '../kernel/ids.js';
import { MlsService } from '../mls/mls.service.js';
import type { TakenAnswer } from '../outbox/letter.js';
import { Outbox } from '../outbox/outbox.service.js';
import { Log } from '../platform/logger.service.js';
import type { Turn } from '../platform/poller.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { SUBMISSIONS } from './broadcast.js';
import { ChangeRepository } from './change.repository.js';
import { EpochsService } from './epochs.service.js';
import { GapRepository } from './gap.repository.js';
import { type Group, ownerServer } from './group.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { RejoinRequestRepository } from './rejoin-request.repository.js';

/** After a lost race the winner's Commit is on its way; a new one on the old epoch would lose again. */
const AFTER_LOSING_MS = 30_000;

/** The owner server waits for Commits before ours; they come within minutes, or it was away. */
const ASK_AGAIN_MS = 3_600_000;

/** The owner server's word on our own Commits. */
@Injectable()
export class SubmissionsWorker implements Turn {
  readonly name = SUBMISSIONS;

  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly changes: ChangeRepository,
    private readonly gaps: GapRepository,
    private readonly rejoins: RejoinRequestRepository,
    private readonly epochs: EpochsService,
    private readonly mls: MlsService,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  turn(): Promise<boolean> {
    const look = (tx: Tx) => this.outbox.hasAnswer(tx, SUBMISSIONS);
    return this.db.runIf(look, async (tx) => {
      const answer = await this.outbox.takeAnswer(tx, SUBMISSIONS);
      if (!answer) return false;
      const digest = answer.subject as CommitDigest;
      const group = await this.groups.lockSubmitter(tx, digest);
      // When its broadcast came first, or another Commit did, the answer has nothing left to decide.
      if (group) await this.decide(tx, group, digest, answer);
      return true;
    });
  }

  private async decide(tx: Tx, group: Locked<Group>, digest: CommitDigest, answer: TakenAnswer): Promise<void> {
    const { outcome, status, to } = answer;
    if (outcome === 'delivered' && status === 202) return this.kept(tx, group);
    if (outcome === 'delivered') return this.accepted(tx, group, digest);
    if (outcome === 'dead') {
      this.log.error(
        { event: 'commit.undeliverable', group: group.mlsGroupId, digest, to },
        'a Commit cannot be delivered',
      );
      return;
    }
    await this.dropped(tx, group, digest, answer);
  }

  /** Its broadcast will tell; unless it was refused or forgotten when its time came, so it is asked for again. */
  private async kept(tx: Tx, group: Locked<Group>): Promise<void> {
    const now = this.clock.now();
    await this.groups.save(tx, group, { ...group, quietUntil: new Date(now.getTime() + ASK_AGAIN_MS) }, now);
  }

  /** By the owner server, or by whom we asked as the owner server that was away. */
  private async accepted(tx: Tx, group: Locked<Group>, digest: CommitDigest): Promise<void> {
    const accepted = await this.mls.acceptPending(tx, group.mlsGroupId, digest);
    await this.epochs.enter(tx, group, { ...accepted, arbiter: ownerServer(group) });
  }

  /** OCM-MLS R-019: what was not accepted has no effect. A lost race is run again, a breach of policy is not. */
  private async dropped(
    tx: Tx,
    group: Locked<Group>,
    digest: CommitDigest,
    { status, body }: TakenAnswer,
  ): Promise<void> {
    const lost = status === 409;
    const code = codeOf(body);
    this.log.warn(
      { event: 'commit.dropped', group: group.mlsGroupId, digest, status, code },
      'our Commit was not accepted',
    );
    await this.mls.dropPending(tx, group.mlsGroupId);
    for (const change of await this.changes.open(tx, group.mlsGroupId)) {
      if (change.digest !== digest) continue;
      const { digest: _, ...free } = change;
      await this.changes.save(tx, lost ? { ...free, state: 'prepared' } : { ...free, state: 'refused', fault: code });
    }
    const now = this.clock.now();
    // What the owner does not want is not offered again before it is asked for again.
    if (!lost) await this.rejoins.forgetBefore(tx, group.mlsGroupId, now);
    const ahead = epochOf(body);
    if (ahead > group.epoch) {
      await this.gaps.hear(tx, group.mlsGroupId, ahead, now);
    }
    const { submitted: _, ...next } = group;
    await this.groups.save(tx, group, { ...next, quietUntil: new Date(now.getTime() + AFTER_LOSING_MS) }, now);
  }
}

/** The code in the owner's answer where it is one of ours; what a peer says is not believed further. */
function codeOf(body: unknown): FaultCode {
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  return typeof code === 'string' && Object.hasOwn(FAULTS, code) ? (code as FaultCode) : 'commit.refused';
}

/** Where the group stands at the owner server, by its answer (D-09); 0 when it does not say. */
function epochOf(body: unknown): Epoch {
  const at = typeof body === 'object' && body !== null && 'epoch' in body ? body.epoch : undefined;
  return epoch(Number.isSafeInteger(at) ? Math.max(0, at as number) : 0);
}
