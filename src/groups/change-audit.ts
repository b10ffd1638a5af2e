import type { OcmAddress } from '../kernel/address.js';
import type { AuditEntry } from '../platform/audit-entry.js';
import type { Approval } from './approval.js';
import type { Change } from './change.js';
import type { Group } from './group.js';

const about = ({ id, kind, subject, actor }: Change, { mlsGroupId, address, epoch }: Group) => ({
  actor,
  subject,
  group: { mlsGroupId, address },
  epoch,
  facts: { change: id, kind },
});

/**
 * A change begins. An admin who asks approves (OCM-MLS ), other members propose; who leaves needs no approval
 * (R-060).
 */
export function askedFor(change: Change, group: Group): AuditEntry {
  const act = change.approved ? 'change.approved' : 'change.proposed';
  return { act: change.kind === 'leave' ? 'leave.asked' : act, ...about(change, group) };
}

/** A change ends in vain. */
export const cameToNothing = (change: Change, group: Group): AuditEntry => ({
  act: 'change.refused',
  ...about(change, group),
  ...(change.fault ? { code: change.fault } : {}),
});

/** Nobody wants a change any more. */
export const withdrawn = (change: Change, group: Group): AuditEntry => ({
  act: 'change.withdrawn',
  ...about(change, group),
});

/** An admin does not want what was proposed. */
export const declinedBy = (
  { id, kind, subject, proposer, reason }: Approval,
  admin: OcmAddress,
  { mlsGroupId, address, epoch }: Group,
): AuditEntry => ({
  act: 'approval.declined',
  actor: admin,
  subject,
  group: { mlsGroupId, address },
  epoch,
  facts: { approval: id, kind, ...(proposer ? { proposer } : {}), ...(reason ? { reason } : {}) },
});
