import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { host, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { isFault } from '../../src/kernel/fault.js';
import type { Unsettled } from '../../src/groups/change.js';
import { assertedIn } from '../../src/scim/assertion.js';
import { adminsOf, goalOf, membersOf, takenBack } from '../../src/scim/group-goal.js';
import { patched } from '../../src/scim/patch.js';
import { MOST_OPERATIONS, operationsOf } from '../../src/scim/patch-request.js';
import { assertMeant, versionOf } from '../../src/scim/precondition.js';
import { replaced } from '../../src/scim/replacement.js';
import { groupResource, placeOf, userResource } from '../../src/scim/resources.js';
import type { JsonObject, ResourceType } from '../../src/scim/schema.js';
import { FEDERATED_GROUP, GROUPS, USERS } from '../../src/scim/schemas.js';

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const X = FEDERATED_GROUP.id;
const place = placeOf({ domain: host('a.test'), publicUrl: 'https://a.test' });
const [alice, bob, carol] = [ocmAddress('alice@a.test'), ocmAddress('bob@b.test'), ocmAddress('carol@a.test')];
const LAB = groupResource(
  place,
  {
    mlsGroupId: 'bGFi' as MlsGroupId,
    address: ocmAddress('lab@a.test'),
    epoch: epoch(7),
    history: 0,
    state: 'active',
    admins: [alice],
    members: [alice, bob],
  },
  [],
);
const ALICE = userResource(
  place,
  { address: alice, displayName: 'Alice', createdAt: new Date(0), active: true, groups: [] },
  [],
);

const body = (...Operations: object[]) => ({ schemas: [PATCH_OP], Operations });
const patch = (type: ResourceType, of: JsonObject, ...operations: object[]) =>
  patched(type, of, operationsOf(type, body(...operations)));
const roster = (...operations: object[]) => {
  const then = patch(GROUPS, LAB, ...operations);
  return [membersOf(then), adminsOf(then)];
};
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'done';
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.code;
  }
};

test.each<[string, object[], [string[], string[]]]>([
  ['add', [{ op: 'Add', path: 'members', value: [{ value: carol }] }], [[alice, bob, carol], [alice]]],
  ['add what is there', [{ op: 'add', path: 'members', value: [{ value: bob }] }], [[alice, bob], [alice]]],
  ['add one alone', [{ op: 'add', path: 'MEMBERS', value: { Value: carol } }], [[alice, bob, carol], [alice]]],
  ['add without a path', [{ op: 'add', value: { Members: [{ value: carol }] } }], [[alice, bob, carol], [alice]]],
  [
    'with the URN',
    [{ op: 'add', path: `${GROUPS.schema.id}:members`, value: { value: carol } }],
    [[alice, bob, carol], [alice]],
  ],
  ['remove by a filter', [{ op: 'Remove', path: `members[value eq "${bob}"]` }], [[alice], [alice]]],
  ['remove who is not there', [{ op: 'remove', path: `members[value eq "${carol}"]` }], [[alice, bob], [alice]]],
  ['remove by values', [{ op: 'Remove', path: 'members', value: [{ value: bob }] }], [[alice], [alice]]],
  ['remove all', [{ op: 'remove', path: 'members' }], [[], [alice]]],
  ['replace all', [{ op: 'replace', path: 'members', value: [{ value: carol }] }], [[carol], [alice]]],
  [
    'replace one',
    [{ op: 'replace', path: `members[value eq "${bob}"]`, value: { value: carol } }],
    [[alice, carol], [alice]],
  ],
  [
    'two operations',
    [
      { op: 'remove', path: 'members' },
      { op: 'add', path: 'members', value: { value: bob } },
    ],
    [[bob], [alice]],
  ],
  [
    'admins',
    [{ op: 'add', path: `${X}:admins`, value: [bob] }],
    [
      [alice, bob],
      [alice, bob],
    ],
  ],
  [
    'an admin by a filter',
    [{ op: 'remove', path: `${X.toUpperCase()}:admins[value eq "${alice}"]` }],
    [[alice, bob], []],
  ],
  ['an extension as a whole', [{ op: 'replace', path: X, value: { admins: [bob], epoch: 7 } }], [[alice, bob], [bob]]],
  ['an extension by the way', [{ op: 'replace', value: { [X]: { admins: bob } } }], [[alice, bob], [bob]]],
  [
    'what it is already',
    [{ op: 'replace', value: { id: 'lab@a.test', displayName: 'LAB@a.test', nonsense: 1 } }],
    [[alice, bob], [alice]],
  ],
])('PATCH of a group: %s', (_, operations, expected) => expect(roster(...operations)).toEqual(expected));

test.each<[string, object[], string]>([
  ['no path', [{ op: 'remove' }], 'scim.no-target'],
  [
    'nobody to replace',
    [{ op: 'replace', path: `members[value eq "${carol}"]`, value: { value: bob } }],
    'scim.no-target',
  ],
  ['an unknown attribute', [{ op: 'add', path: 'colour', value: 'red' }], 'scim.path'],
  ['an unknown extension', [{ op: 'add', path: 'urn:x:y:admins', value: [bob] }], 'scim.path'],
  ['a filter on one value', [{ op: 'remove', path: 'displayName[value eq "x"]' }], 'scim.path'],
  ['no grammar', [{ op: 'remove', path: 'members[value eq ]' }], 'scim.filter'],
  ['an unknown sub-attribute', [{ op: 'remove', path: 'members[colour eq "x"]' }], 'scim.filter'],
  ['the name', [{ op: 'replace', path: 'displayName', value: 'other@a.test' }], 'scim.mutability'],
  ['the name by the way', [{ op: 'replace', value: { displayName: 'other@a.test' } }], 'scim.mutability'],
  ['the name removed', [{ op: 'remove', path: 'displayName' }], 'scim.mutability'],
  ['the epoch', [{ op: 'replace', path: `${X}:epoch`, value: 8 }], 'scim.mutability'],
  [
    'the id of a member',
    [{ op: 'replace', path: `members[value eq "${bob}"].value`, value: carol }],
    'scim.mutability',
  ],
  ['a display', [{ op: 'replace', path: 'members.display', value: 'Bob' }], 'scim.mutability'],
  ['the ids of members removed', [{ op: 'remove', path: 'members.value' }], 'scim.mutability'],
  ['an extension removed', [{ op: 'remove', path: X }], 'scim.mutability'],
  ['a group in a group', [{ op: 'add', path: 'members', value: [{ value: bob, type: 'Group' }] }], 'scim.value'],
  ['no address', [{ op: 'add', path: 'members', value: [{ value: 'bob' }] }], 'scim.value'],
  ['no member', [{ op: 'add', path: 'members', value: [null] }], 'scim.value'],
  ['no object', [{ op: 'add', value: 'members' }], 'scim.value'],
  ['no op', [{ op: 'move', path: 'members' }], 'body.malformed'],
  ['no operations', [], 'body.malformed'],
  ['too many', Array.from({ length: MOST_OPERATIONS + 1 }, () => ({ op: 'remove', path: 'members' })), 'scim.too-much'],
])('PATCH of a group is refused: %s', (_, operations, code) => expect(codeOf(() => roster(...operations))).toBe(code));

test('PATCH of a user: what can be changed is, and what is written as text is understood', () => {
  const user = (...operations: object[]) => patch(USERS, ALICE, ...operations);
  expect(user({ op: 'Replace', path: 'active', value: 'False' })).toEqual({ ...ALICE, active: false });
  expect(user({ op: 'replace', value: { Active: false, DISPLAYNAME: 'Al' } })).toMatchObject({
    active: false,
    displayName: 'Al',
  });
  expect(user({ op: 'remove', path: 'displayName' })['displayName']).toBeUndefined();
  expect(user({ op: 'replace', path: 'userName', value: 'ALICE@a.test' })).toEqual(ALICE);
  for (const [path, value, code] of [
    ['userName', 'bob@a.test', 'scim.mutability'],
    ['groups', [{ value: 'lab@a.test' }], 'scim.mutability'],
    ['active', 'maybe', 'scim.value'],
    ['displayName', 'a'.repeat(201), 'scim.value'],
    ['displayName', 'a\nb', 'scim.value'],
    ['name.givenName', 'Al', 'scim.path'],
  ] as const)
    expect([path, codeOf(() => user({ op: 'replace', path, value }))]).toEqual([path, code]);
});

test('whatever is sent, it is read or refused by the catalogue, and the resource is not changed in place', () => {
  const copy = JSON.stringify(LAB);
  const anything = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace'),
    path: fc.option(
      fc.oneof(fc.string(), fc.constantFrom('members', 'members[value pr]', `${X}:admins`, '__proto__', X)),
      { nil: undefined },
    ),
    value: fc.jsonValue(),
  });
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1, maxLength: 4 }), (operations) => {
      expect(codeOf(() => roster(...operations))).toMatch(/^(done|scim\.|body\.)/);
    }),
  );
  expect(JSON.stringify(LAB)).toBe(copy);
});

describe('what is asserted', () => {
  const schemas = [GROUPS.schema.id];
  test('by its right names; what is read-only, unknown or null does not count', () => {
    const said = {
      Schemas: schemas,
      DISPLAYNAME: 'lab',
      id: 'x',
      members: null,
      meta: {},
      colour: 1,
      [X.toUpperCase()]: { Admins: bob, epoch: 9 },
    };
    expect(assertedIn(GROUPS, said)).toEqual({ displayName: 'lab', [X]: { admins: [bob] } });
    expect(codeOf(() => assertedIn(GROUPS, { displayName: 'lab' }))).toBe('body.malformed');
    expect(codeOf(() => assertedIn(GROUPS, [said]))).toBe('body.malformed');
    expect(codeOf(() => assertedIn(GROUPS, { schemas, [X]: 1 }))).toBe('scim.value');
  });
  test('takes the place of what was there, and what is not asserted stays', () => {
    const members = [{ value: carol }];
    const then = replaced(GROUPS, LAB, assertedIn(GROUPS, { schemas, displayName: 'LAB@A.test', members }));
    expect([membersOf(then), adminsOf(then)]).toEqual([[carol], [alice]]);
    expect(codeOf(() => replaced(GROUPS, LAB, { displayName: 'other@a.test' }))).toBe('scim.mutability');
  });
});

describe('what has to be asked for', () => {
  const open = (kind: Unsettled['kind'], subject: OcmAddress, actor = alice): Unsettled => ({
    id: `${kind} ${subject}`,
    mlsGroupId: 'bGFi' as MlsGroupId,
    group: alice,
    kind,
    subject,
    actor,
    state: 'prepared',
    requestedAt: new Date(0),
  });
  const then = (members: string[], admins: string[]) => ({
    members: members.map((value) => ({ value })),
    [X]: { admins },
  });
  test('each difference once; who goes as a member need not be dismissed', () => {
    expect(goalOf(LAB, then([bob, carol], [bob]), [])).toEqual({
      wishes: [
        { kind: 'add', subject: carol },
        { kind: 'appoint', subject: bob },
        { kind: 'remove', subject: alice },
      ],
      isPending: false,
    });
    expect(goalOf(LAB, LAB, [open('add', carol)])).toEqual({ wishes: [], isPending: false });
    expect(goalOf(LAB, then([alice], [alice]), [open('leave', bob)])).toEqual({ wishes: [], isPending: true });
  });
  test('who asked takes back what is not done yet, by adding and removing alone', () => {
    const both = [open('add', carol), open('remove', bob), open('add', bob, bob)];
    const back = (...operations: object[]) =>
      takenBack(operationsOf(GROUPS, body(...operations)), both, alice).map(({ id }) => id);
    expect(back({ op: 'remove', path: `members[value eq "${carol}"]` })).toEqual([`add ${carol}`]);
    expect(back({ op: 'add', path: 'members', value: [{ value: bob }] })).toEqual([`remove ${bob}`]);
    expect(back({ op: 'add', value: { members: { value: bob } } })).toEqual([`remove ${bob}`]);
    expect(back({ op: 'replace', path: 'members', value: [{ value: bob }] })).toEqual([]);
  });
});

test.each([
  [{}, 'done'],
  [{ ifMatch: versionOf(LAB) }, 'done'],
  [{ ifMatch: versionOf(LAB).replace('W/', '') }, 'done'],
  [{ ifMatch: '*' }, 'done'],
  [{ ifMatch: 'W/"6.x", W/"7.x"' }, 'scim.version'],
  [{ ifNoneMatch: '*' }, 'scim.version'],
  [{ ifNoneMatch: versionOf(LAB) }, 'scim.version'],
  [{ ifNoneMatch: 'W/"6.x"' }, 'done'],
])('a condition %j is %s', (condition, code) => expect(codeOf(() => assertMeant(LAB, condition))).toBe(code));
