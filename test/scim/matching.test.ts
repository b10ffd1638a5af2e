import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { host, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { matcher } from '../../src/scim/matching.js';
import { isNothing, narrowing } from '../../src/scim/narrowing.js';
import { groupResource, placeOf, userResource } from '../../src/scim/resources.js';
import { FEDERATED_GROUP, GROUPS, USERS } from '../../src/scim/schemas.js';

const place = placeOf({ domain: host('a.test'), publicUrl: 'https://a.test' });
const [alice, bob] = ['alice@a.test', 'bob@b.test'].map(ocmAddress) as [OcmAddress, OcmAddress];
const group = (members: readonly OcmAddress[] = [alice, bob], address = 'Lab@a.test', externalId?: string) =>
  groupResource(
    place,
    {
      mlsGroupId: 'bGFi' as MlsGroupId,
      address: ocmAddress(address),
      epoch: epoch(7),
      history: 0,
      state: 'active',
      admins: [alice],
      members,
    },
    [],
    externalId,
  );
const user = (address: string = alice, displayName = 'Alice', groups: readonly OcmAddress[] = []) =>
  userResource(
    place,
    {
      address: ocmAddress(address),
      displayName,
      createdAt: new Date('2027-01-04T09:00:00Z'),
      active: true,
      groups,
    },
    [],
  );
const groupMatches = (filter: string, resource = group()) => matcher(GROUPS, parseFilter(filter))(resource);
const userMatches = (filter: string, resource = user()) => matcher(USERS, parseFilter(filter))(resource);
const X = FEDERATED_GROUP.id;

test.each([
  ['id eq "Lab@a.test"', true],
  [`${X}:admins[value eq "alice@a.test"]`, true],
  [`${X}:admins[value eq "Alice@a.test"]`, false],
  ['id eq "lab@a.test"', false],
  ['ID eq "Lab@a.test"', true],
  ['displayName eq "lab@A.TEST"', true],
  ['displayName ne "lab@A.TEST"', false],
  ['displayName co "AB@"', true],
  ['displayName sw "la"', true],
  ['displayName ew "a.test"', true],
  ['displayName ew "b.test"', false],
  ['displayName gt "la"', true],
  ['displayName lt "la"', false],
  ['displayName ge "lab@a.test"', true],
  ['displayName le "lab@a.test"', true],
  ['externalId eq "x"', false],
  ['externalId ne "x"', true],
  ['externalId pr', false],
  ['externalId eq null', true],
  ['externalId ne null', false],
  ['displayName eq null', false],
  ['members eq "bob@b.test"', true],
  ['members.value eq "bob@b.test"', true],
  ['members.value eq "BOB@b.test"', false],
  ['members.value ne "bob@b.test"', true],
  ['not (members.value eq "bob@b.test")', false],
  ['members[value eq "bob@b.test"]', true],
  ['members[value eq "bob@b.test" and $ref pr]', false],
  ['members[value eq "alice@a.test" and $ref pr and type eq "user"]', true],
  ['members.value eq "bob@b.test" and members.$ref pr', true],
  ['members[not (value sw "alice") and display co "bob"]', true],
  ['members pr', true],
  ['schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group"', true],
  ['urn:ietf:params:scim:schemas:core:2.0:Group:displayName sw "Lab"', true],
  ['meta.resourceType eq "Group"', true],
  ['meta.version sw "W/\\"7."', true],
  [`${X}:epoch eq 7`, true],
  [`${X.toUpperCase()}:EPOCH gt 6.5`, true],
  [`${X}:epoch lt 7`, false],
  [`${X}:epoch ge 8`, false],
  [`${X}:state eq "active"`, true],
  [`${X}:admins eq "alice@a.test"`, true],
  [`${X}:ownerServer eq "A.test" and (displayName co "nothing" or members.value ew "@b.test")`, true],
])('of a group, %s is %s', (filter, answer) => expect(groupMatches(filter)).toBe(answer));

test.each([
  ['active eq true', true],
  ['active ne true', false],
  ['userName eq "ALICE@a.test"', true],
  ['displayName eq "aLICE"', true],
  ['groups pr', false],
  ['meta.created gt "2027-01-04T08:59:59Z"', true],
  ['meta.created gt "2027-01-04T09:00:00.000Z"', false],
  ['meta.created ge "2027-01-04T10:00:00+01:00"', true],
])('of a user, %s is %s', (filter, answer) => expect(userMatches(filter)).toBe(answer));

test('letters beyond ASCII have a case, in the index as here', () => {
  expect(userMatches('displayName eq "ÄNNA"', user(alice, 'äNNA'))).toBe(false);
  expect(userMatches('displayName eq "Änna"', user(alice, 'ÄNNA'))).toBe(true);
});

test.each([
  'nickName eq "x"',
  'members.color eq "x"',
  'members[color eq "x"]',
  'members[value.type eq "x"]',
  'displayName[value eq "x"]',
  'displayName.value eq "x"',
  'meta eq "x"',
  'meta.lastModified gt "2027-01-04T09:00:00Z"',
  'epoch eq 7',
  `${X}:epoch eq "7"`,
  `${X}:epoch co 7`,
  `${X}:members pr`,
  'urn:example:other:displayName eq "x"',
  'displayName eq 7',
  'displayName eq true',
  'displayName gt null',
  'displayName eq "x" or nickName pr',
  'constructor pr',
])('of groups, %s cannot be asked', (filter) => expect(() => groupMatches(filter)).toThrow('scim.filter'));

test.each(['active eq "true"', 'active gt true', 'active co true', 'meta.created gt "yesterday"', 'meta.created lt 7'])(
  'of users, %s cannot be asked',
  (filter) => expect(() => userMatches(filter)).toThrow('scim.filter'),
);

describe('what the database finds by an index', () => {
  const keys = (
    ids: string[],
    names: string[],
    displayNames: string[],
    related: string[],
    externalIds: string[] = [],
  ) => ({ ids, names, displayNames, related, externalIds });
  test.each([
    ['id eq "x@a.test"', keys(['x@a.test'], [], [], [])],
    ['displayName eq "Lab@a.test"', keys([], ['lab@a.test'], [], [])],
    ['members.value eq "bob@b.test"', keys([], [], [], ['bob@b.test'])],
    ['members eq "bob@b.test"', keys([], [], [], ['bob@b.test'])],
    ['members[type eq "User" and value eq "bob@b.test"]', keys([], [], [], ['bob@b.test'])],
    ['id eq "x" or id eq "y"', keys(['x', 'y'], [], [], [])],
    [`members.value co "x" and (id eq "x" or displayName eq "Y")`, keys(['x'], ['y'], [], [])],
    ['id eq "x" and externalId eq "y"', keys(['x'], [], [], [])],
    ['externalId eq "X"', keys([], [], [], [], ['X'])],
    ['id sw "x"', undefined],
    ['id ne "x"', undefined],
    ['id eq "x" or members.value co "y"', undefined],
    ['not (id eq "x")', undefined],
    ['id pr', undefined],
  ])('of groups: %s', (filter, found) => expect(narrowing(GROUPS, parseFilter(filter))).toEqual(found));

  test.each([
    ['userName eq "Alice@a.test"', keys([], ['alice@a.test'], [], [])],
    ['displayName eq "Alice"', keys([], [], ['alice'], [])],
    ['groups.value eq "lab@a.test"', keys([], [], [], ['lab@a.test'])],
  ])('of users: %s', (filter, found) => expect(narrowing(USERS, parseFilter(filter))).toEqual(found));

  const term = fc
    .tuple(
      fc.constantFrom('id', 'displayName', 'members.value', 'members', 'externalId'),
      fc.constantFrom('eq', 'eq', 'ne', 'co'),
      fc.constantFrom(alice, bob, 'Lab@a.test', 'lab@a.test', 'x'),
    )
    .map(([path, operator, value]) => `${path} ${operator} "${value}"`);
  const { filter: anyFilter } = fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { depthSize: 'small' },
      term,
      fc.tuple(tie('filter'), fc.constantFrom('and', 'or'), tie('filter')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
      tie('filter').map((a) => `not (${a})`),
      term.filter((text) => text.startsWith('members.value')).map((text) => `members[${text.slice(8)}]`),
    ),
  }));

  test('nothing that matches is missed by it', () => {
    const groups = [group(), group([alice]), group([bob], 'lab@a.test'), group([], 'other@b.test', 'x')];
    fc.assert(
      fc.property(anyFilter, fc.constantFrom(...groups), (text, resource) => {
        const filter = parseFilter(text);
        const found = narrowing(GROUPS, filter);
        const address = resource['id'] as string;
        const members = (resource['members'] as { value: string }[]).map(({ value }) => value);
        const isFound =
          !found ||
          (!isNothing(found) &&
            (found.ids.includes(address) ||
              found.names.includes(address.toLowerCase()) ||
              found.externalIds.includes(resource['externalId'] as string) ||
              found.related.some((member) => members.includes(member))));
        expect(isFound || !matcher(GROUPS, filter)(resource)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
