import { Injectable } from '@nestjs/common';
import { CommitsService } from '../groups/commits.service.js';
import { DriftService } from '../groups/drift.service.js';
import { ProposalsService } from '../groups/proposals.service.js';
import { RejoinsService } from '../groups/rejoins.service.js';
import { WelcomesService } from '../groups/welcomes.service.js';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, type FaultCode, isFault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { type Notification, parseNotification } from '../ocm/notification.js';
import { TransactionService } from '../platform/transaction.service.js';
import { ReceivingKeysService } from '../shares/receiving-keys.service.js';
import { ReceivingService } from '../shares/receiving.service.js';
import { ShareAnswersService } from '../shares/share-answers.service.js';
import { EarlyRepository } from './early.repository.js';
import { RefusalsService } from './refusals.service.js';

/** 201: done, or done before. 202: kept until its epoch comes. (D-09) */
export interface Receipt {
  readonly status: 201 | 202;
  readonly body: { readonly epoch?: Epoch };
}

/** The table of contents of the protocol: every notification that this server takes, and who takes it. */
@Injectable()
export class DispatchService {
  constructor(
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly commits: CommitsService,
    private readonly welcomes: WelcomesService,
    private readonly proposals: ProposalsService,
    private readonly rejoins: RejoinsService,
    private readonly receiving: ReceivingService,
    private readonly answers: ShareAnswersService,
    private readonly keys: ReceivingKeysService,
    private readonly drifts: DriftService,
    private readonly early: EarlyRepository,
    private readonly refusals: RefusalsService,
  ) {}

  /**
   * @param from the server that signed; @param body as it came, in the newest form
   * @param signedAt matters only for what is never kept for later
   */
  async dispatch(from: Host, body: object, signedAt: Date = this.clock.now()): Promise<Receipt> {
    const notice: Notification = parseNotification(body);
    try {
      return await this.hand(from, body, notice, signedAt);
    } catch (error) {
      await this.refusals.note(from, notice, error);
      if ('mlsGroupId' in notice && TOO_EARLY.some((code) => isFault(error, code))) {
        await this.drifts.ahead(notice.mlsGroupId);
      }
      throw error;
    }
  }

  private async hand(from: Host, body: object, notice: Notification, signedAt: Date): Promise<Receipt> {
    switch (notice.notificationType) {
      case 'MLS_COMMIT': {
        const { kind, epoch, commitEpoch, lossy } = await this.commits.receive(from, notice);
        if (kind === 'stale') throw new Fault('commit.stale', { epoch });
        if (kind === 'gap') return this.keep(from, body, notice.mlsGroupId, commitEpoch, lossy);
        return { status: 201, body: { epoch } };
      }
      case 'MLS_WELCOME': {
        const joined = await this.welcomes.receive(from, notice);
        return joined.kind === 'waits' ? this.keep(from, body, notice.mlsGroupId, joined.epoch) : DONE;
      }
      case 'MLS_APPLICATION': {
        const heard = await this.keys.receive(from, notice);
        return heard.kind === 'waits' ? this.keep(from, body, notice.mlsGroupId, heard.epoch) : DONE;
      }
      case 'MLS_PROPOSAL':
        await this.proposals.receive(from, notice);
        return DONE;
      case 'MLS_REJOIN':
        await this.rejoins.receive(from, notice, signedAt);
        return DONE;
      case 'SHARE_UNSHARED':
        await this.receiving.unshared(from, notice);
        return DONE;
      case 'SHARE_CHANGE_PERMISSION':
        await this.receiving.permissionsChanged(from, notice);
        return DONE;
      case 'REQUEST_RESHARE':
        await this.answers.reshareRequested(from, notice);
        return DONE;
      case 'SHARE_ACCEPTED':
      case 'SHARE_DECLINED':
        await this.answers.answered(from, notice);
        return DONE;
      default:
        return notice satisfies never;
    }
  }

  /** Answered with 202 only once it is in the database. */
  private async keep(sender: Host, body: object, mlsGroupId: MlsGroupId, epoch: Epoch, lossy?: true): Promise<Receipt> {
    await this.db.run((tx) => this.early.keep(tx, { sender, body, mlsGroupId, epoch }, this.clock.now(), lossy));
    return { status: 202, body: {} };
  }
}

const TOO_EARLY: readonly FaultCode[] = ['commit.too-early', 'proposal.early', 'application.too-early'];

const DONE: Receipt = { status: 201, body: {} };
