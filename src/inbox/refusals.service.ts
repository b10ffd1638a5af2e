import { Injectable } from '@nestjs/common';
import { GroupRepository } from '../groups/group.repository.js';
import type { Host } from '../kernel/address.js';
import { type FaultCode, isFault } from '../kernel/fault.js';
import type { Notification } from '../ocm/notification.js';
import { AuditService } from '../platform/audit.service.js';

/** Somebody was faster, or mail overtook other mail: nobody did anything wrong. Or it is our own trouble. */
const EVERYDAY: readonly FaultCode[] = [
  'commit.stale',
  'proposal.stale',
  'group.left',
  'notification.unsupported',
  'internal',
];

/** Keeps in mind what other servers sent for a group and we refused for good, since a person may ask about it. */
@Injectable()
export class RefusalsService {
  constructor(
    private readonly groups: GroupRepository,
    private readonly audit: AuditService,
  ) {}

  async note(from: Host, notice: Notification, error: unknown): Promise<void> {
    if (!('mlsGroupId' in notice) || !isFault(error) || error.retry || EVERYDAY.includes(error.code)) return;
    await this.audit.refused(async (tx) => {
      const group = await this.groups.byId(tx, notice.mlsGroupId);
      return {
        act: 'mail.refused',
        actor: from,
        code: error.code,
        ...('userId' in notice && { subject: notice.userId }),
        ...(group && { group, epoch: group.epoch }),
        facts: { ...error.facts, notification: notice.notificationType },
      };
    });
  }
}
