import { z } from 'zod';
import { addressField, identifierField } from '../ocm/wire-body.js';
import { type Change, CHANGE_KINDS, CHANGE_STATES } from './change.js';
import { GROUP_STATES, GROUP_WARNINGS, type GroupPicture, warningsOf } from './group.js';

/** What the EFSS sends and gets about groups. Addresses are OCM Addresses, times ISO 8601 in UTC. */
export const newGroup = z
  .strictObject({ identifier: identifierField, creator: addressField })
  .meta({ example: { identifier: 'research-group', creator: 'alice@cloud.example.org' } });

export const byMember = z
  .strictObject({ address: addressField, by: addressField })
  .meta({ example: { address: 'bob@othercloud.example.org', by: 'alice@cloud.example.org' } });

export const leaving = z
  .strictObject({ member: addressField })
  .meta({ example: { member: 'bob@othercloud.example.org' } });

export const reinitialising = z.strictObject({ by: addressField }).meta({ example: { by: 'alice@cloud.example.org' } });

const groupFacts = {
  address: z.string(),
  mlsGroupId: z.string(),
  epoch: z.int(),
  state: z.enum(GROUP_STATES),
  admins: z.array(z.string()),
};

export const groupAnswer = z
  .object({
    ...groupFacts,
    ownerServer: z.string(),
    warnings: z.array(z.enum(GROUP_WARNINGS)),
    members: z.array(z.object({ address: z.string(), leafIndex: z.int() })),
    staleLeaves: z.array(z.string()),
    refusedServers: z.array(z.string()),
    lastCommit: z.object({ digest: z.string(), committer: z.string(), recordedAt: z.iso.datetime() }).nullable(),
  })
  .meta({
    examples: [
      {
        address: 'research-group@cloud.example.org',
        mlsGroupId: 'mO4Qy0aZ1mS5mUe3bqkV0w3nqkq1m0a7xk0b3kq2m5w',
        epoch: 1,
        state: 'active',
        admins: ['alice@cloud.example.org'],
        ownerServer: 'cloud.example.org',
        warnings: ['single-admin'],
        members: [
          { address: 'alice@cloud.example.org', leafIndex: 0 },
          { address: 'bob@othercloud.example.org', leafIndex: 1 },
        ],
        staleLeaves: [],
        refusedServers: [],
        lastCommit: null,
      },
    ],
  });
export const groupsAnswer = z.object({ groups: z.array(z.object(groupFacts)) });

export const changeAnswer = z
  .object({
    id: z.uuid(),
    kind: z.enum(CHANGE_KINDS),
    subject: z.string(),
    actor: z.string(),
    state: z.enum(CHANGE_STATES),
    epoch: z.int().nullable(),
    code: z.string().nullable(),
    tries: z.int(),
    requestedAt: z.iso.datetime(),
  })
  .meta({
    examples: [
      {
        id: '8c0f2a60-5a5f-4f6e-9a51-5d2a8e0f7b11',
        kind: 'add',
        subject: 'bob@othercloud.example.org',
        actor: 'alice@cloud.example.org',
        state: 'done',
        epoch: 1,
        code: null,
        tries: 1,
        requestedAt: '2026-03-01T12:00:00.000Z',
      },
    ],
  });
export const changesAnswer = z.object({ changes: z.array(changeAnswer) });

export const showGroup = ({
  group,
  owner,
  members,
  stale,
  refused,
  lastCommit,
}: GroupPicture): z.input<typeof groupAnswer> => ({
  ...showGroupFacts(group),
  ownerServer: owner,
  warnings: warningsOf(
    group,
    members.map(({ address }) => address),
    refused,
  ),
  members: members.map(({ address, leafIndex }) => ({ address, leafIndex })),
  staleLeaves: [...stale],
  refusedServers: [...refused],
  lastCommit: lastCommit
    ? { digest: lastCommit.digest, committer: lastCommit.committer, recordedAt: lastCommit.recordedAt.toISOString() }
    : null,
});

export const showGroupFacts = ({ address, mlsGroupId, epoch, state, admins }: GroupPicture['group']) => ({
  address,
  mlsGroupId,
  epoch,
  state,
  admins: [...admins],
});

export const showChange = (change: Change): z.input<typeof changeAnswer> => ({
  id: change.id,
  kind: change.kind,
  subject: change.subject,
  actor: change.actor,
  state: change.state,
  epoch: change.epoch ?? null,
  code: change.fault ?? null,
  tries: change.tries,
  requestedAt: change.requestedAt.toISOString(),
});
