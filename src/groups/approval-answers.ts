import { z } from 'zod';
import { addressField, textField } from '../ocm/wire-body.js';
import { APPROVAL_KINDS, APPROVAL_STATES, type ApprovalPicture } from './approval.js';

export const inboxQuery = { admin: addressField, state: z.enum(APPROVAL_STATES).default('open') };

export const approving = z.strictObject({ by: addressField }).meta({ example: { by: 'alice@cloud.example.org' } });

export const declining = z
  .strictObject({ by: addressField, reason: textField(500).min(1) })
  .meta({ example: { by: 'alice@cloud.example.org', reason: 'Bob left the project in May.' } });

const addresses = z.array(z.string());

export const approvalAnswer = z
  .object({
    id: z.uuid(),
    group: z.string(),
    kind: z.enum(APPROVAL_KINDS),
    subject: z.string(),
    /** Null: the service itself asks. */
    proposer: z.string().nullable(),
    state: z.enum(APPROVAL_STATES),
    requestedAt: z.iso.datetime(),
    /** Unless it is proposed anew before. */
    lapsesAt: z.iso.datetime().nullable(),
    decidedBy: z.string().nullable(),
    decidedAt: z.iso.datetime().nullable(),
    reason: z.string().nullable(),
    /** The change that was made of it. */
    change: z.uuid().nullable(),
    /** What it would change; null when it is not open. `ownerServer` is null when it stays. */
    effect: z
      .object({
        joins: addresses,
        leaves: addresses,
        serversJoin: addresses,
        serversLeave: addresses,
        adminsAppointed: addresses,
        adminsDismissed: addresses,
        ownerServer: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({
    examples: [
      {
        id: '3f0d6a1e-7f53-4b3e-9a4e-0c6f1d2b7a90',
        group: 'research-group@cloud.example.org',
        kind: 'add',
        subject: 'carol@thirdcloud.example.org',
        proposer: 'bob@othercloud.example.org',
        state: 'open',
        requestedAt: '2026-03-01T12:00:00.000Z',
        lapsesAt: null,
        decidedBy: null,
        decidedAt: null,
        reason: null,
        change: null,
        effect: {
          joins: ['carol@thirdcloud.example.org'],
          leaves: [],
          serversJoin: ['thirdcloud.example.org'],
          serversLeave: [],
          adminsAppointed: [],
          adminsDismissed: [],
          ownerServer: null,
        },
      },
    ],
  });
export const approvalsAnswer = z.object({ approvals: z.array(approvalAnswer) });

export const showApproval = ({ approval, group, effect }: ApprovalPicture): z.input<typeof approvalAnswer> => ({
  id: approval.id,
  group,
  kind: approval.kind,
  subject: approval.subject,
  proposer: approval.proposer ?? null,
  state: approval.state,
  requestedAt: approval.requestedAt.toISOString(),
  lapsesAt: approval.dueAt?.toISOString() ?? null,
  decidedBy: approval.decidedBy ?? null,
  decidedAt: approval.decidedAt?.toISOString() ?? null,
  reason: approval.reason ?? null,
  change: approval.changeId ?? null,
  effect: effect
    ? {
        joins: [...effect.joins],
        leaves: [...effect.leaves],
        serversJoin: [...effect.serversJoin],
        serversLeave: [...effect.serversLeave],
        adminsAppointed: [...effect.adminsAppointed],
        adminsDismissed: [...effect.adminsDismissed],
        ownerServer: effect.ownerServer ?? null,
      }
    : null,
});
