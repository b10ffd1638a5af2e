import type { AuditEntry } from '../platform/audit-entry.js';
import type { Change } from './change.js';
import type { Group } from './group.js';

const about = ({ id, kind, subject, actor }: Change, { mlsGroupId, address, epoch }: Group) => ({
  actor,
  subject,
  group: { mlsGroupId, address },
  epoch,
  facts: { change: id, kind },
});

/** A change begins. An admin who asks approves (OCM-MLS ); who leaves needs no approval. */
export const askedFor = (change: Change, group: Group): AuditEntry => ({
  act: change.kind === 'leave' ? 'leave.asked' : 'change.approved',
  ...about(change, group),
});

/** A change ends in vain. */
export const cameToNothing = (change: Change, group: Group): AuditEntry => ({
  act: 'change.refused',
  ...about(change, group),
  ...(change.fault ? { code: change.fault } : {}),
});
