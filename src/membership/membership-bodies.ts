import { z } from 'zod';
import { addressField, textField } from '../ocm/wire-body.js';

const GROUP = 'research-group@cloud.example.org';
const [ALICE, BOB] = ['alice@cloud.example.org', 'bob@othercloud.example.org'];

export const membersAnswer = z
  .object({
    group: z.string(),
    epoch: z.int(),
    members: z.array(z.object({ address: z.string(), admin: z.boolean() })),
  })
  .meta({
    examples: [
      {
        group: GROUP,
        epoch: 7,
        members: [
          { address: ALICE, admin: true },
          { address: BOB, admin: false },
        ],
      },
    ],
  });

export const localMembersAnswer = membersAnswer
  .extend({ next: z.string().nullable() })
  .meta({ examples: [{ group: GROUP, epoch: 7, members: [{ address: ALICE, admin: true }], next: null }] });

export const memberAnswer = z
  .object({ group: z.string(), user: z.string(), member: z.boolean(), admin: z.boolean(), epoch: z.int() })
  .meta({ examples: [{ group: GROUP, user: BOB, member: true, admin: false, epoch: 7 }] });

const groupOfUser = z.object({ group: z.string(), epoch: z.int(), admin: z.boolean() });
const ONE_GROUP = { group: GROUP, epoch: 7, admin: false };

export const groupsOfUserAnswer = z
  .object({ user: z.string(), groups: z.array(groupOfUser), next: z.string().nullable() })
  .meta({ examples: [{ user: BOB, groups: [ONE_GROUP], next: null }] });

const MOST_ASKED = 1000;

/** Which of these users are in the group? */
export const someUsers = z
  .strictObject({ users: z.array(addressField).min(1).max(MOST_ASKED) })
  .meta({ example: { users: [ALICE, BOB] } });

/** Which of these groups is the user in? */
export const someGroups = z
  .strictObject({ groups: z.array(addressField).min(1).max(MOST_ASKED) })
  .meta({ example: { groups: [GROUP] } });

export const groupsAmongAnswer = z
  .object({ user: z.string(), groups: z.array(groupOfUser) })
  .meta({ examples: [{ user: BOB, groups: [ONE_GROUP] }] });

const MOST_OF_A_PAGE = 10_000;

/** `after` is the `next` of the page before. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MOST_OF_A_PAGE).default(1000),
  after: addressField.optional(),
});

/** As they stand in a path. */
export const groupParam = addressField.meta({ example: GROUP });
export const userParam = addressField.meta({ example: BOB });

const displayName = textField(200).min(1);

export const newUser = z
  .strictObject({ address: addressField, displayName })
  .meta({ example: { address: ALICE, displayName: 'Alice Example' } });

export const namedUser = z.strictObject({ displayName }).meta({ examples: [{ displayName: 'Alice Example' }] });

export const userAnswer = z
  .object({ address: z.string(), displayName: z.string(), active: z.boolean(), createdAt: z.iso.datetime() })
  .meta({
    examples: [{ address: ALICE, displayName: 'Alice Example', active: true, createdAt: '2027-01-04T09:00:00.000Z' }],
  });

export const usersAnswer = z.object({ users: z.array(userAnswer), next: z.string().nullable() });
