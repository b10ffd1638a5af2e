import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { StateLossService } from '../mls/state-loss.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { HighWater } from '../platform/high-water.provider.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { DriftService } from './drift.service.js';
import type { Group } from './group.js';
import { GroupRepository } from './group.repository.js';
import { MemberRepository } from './member.repository.js';

/**
 * A database that was restored from a backup would use keys twice. It is found out at the start, before anything is sent
 * or answered, and all groups that other servers know drift (D-31). A crash on the way repeats it.
 */
@Injectable()
export class RestoredBackupService implements OnApplicationBootstrap {
  constructor(
    private readonly config: Config,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly drifts: DriftService,
    private readonly stateLoss: StateLossService,
    private readonly highWater: HighWater,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const lost = await this.db.run(async (tx) => ((await this.highWater.wentBack(tx)) ? this.giveUp(tx) : undefined));
    if (!lost) return;
    this.log.error(
      { event: 'backup.restored', groups: lost.length },
      'the database is an older copy of itself: the groups have to be rejoined',
    );
  }

  private async giveUp(tx: Tx): Promise<readonly Group[]> {
    const lost: Group[] = [];
    for (const { mlsGroupId } of await this.groups.all(tx)) {
      const group = await this.groups.lock(tx, mlsGroupId);
      if (group?.state !== 'active' || !(await this.isShared(tx, group))) continue;
      await this.drifts.begin(tx, group, 'backup-restored');
      lost.push(group);
    }
    await this.stateLoss.withdrawKeyPackages(tx);
    await this.highWater.goOn(tx);
    await this.audit.record(tx, {
      act: 'backup.restored',
      actor: this.config.domain,
      facts: { groups: lost.map(({ address }) => address) },
    });
    return lost;
  }

  /** Of a group whose members are all at home here nobody else has seen anything. */
  private async isShared(tx: Tx, { mlsGroupId }: Group): Promise<boolean> {
    return (await this.members.servers(tx, mlsGroupId)).some((server) => server !== this.config.domain);
  }
}
