import { describe, expect, test } from 'vitest';
import { attributePath } from '../../src/scim/attribute-path.js';
import { sorted } from '../../src/scim/listing.js';
import { isWished, project, type Wish } from '../../src/scim/projection.js';
import { FEDERATED_GROUP, GROUPS } from '../../src/scim/schemas.js';
import { MOST_RESOURCES, searchOfBody, searchOfQuery } from '../../src/scim/search-request.js';

const X = FEDERATED_GROUP.id;
const lab = {
  schemas: [GROUPS.schema.id, X],
  id: 'lab@a.test',
  displayName: 'lab@a.test',
  members: [
    { value: 'alice@a.test', type: 'User' },
    { value: 'bob@b.test', type: 'User' },
  ],
  [X]: { epoch: 7, state: 'active', admins: ['alice@a.test'] },
  meta: { resourceType: 'Group', version: 'W/"7.x"' },
};
const always = { schemas: lab.schemas, id: lab.id };
const { displayName, members } = lab;

describe('what is shown', () => {
  test.each<[Wish, object]>([
    [{}, lab],
    [{ attributes: [] }, always],
    [{ attributes: ['DISPLAYNAME'] }, { ...always, displayName }],
    [{ attributes: [`${GROUPS.schema.id}:displayName`] }, { ...always, displayName }],
    [{ attributes: ['members'] }, { ...always, members }],
    [{ attributes: ['members.type'] }, { ...always, members: [{ type: 'User' }, { type: 'User' }] }],
    [{ attributes: ['members', 'members.type'] }, { ...always, members }],
    [{ attributes: ['meta.version'] }, { ...always, meta: { version: 'W/"7.x"' } }],
    [{ attributes: [X] }, { ...always, [X]: lab[X] }],
    [{ attributes: [X.toUpperCase()] }, { ...always, [X]: lab[X] }],
    [{ attributes: [`${X}:epoch`] }, { ...always, [X]: { epoch: 7 } }],
    [{ attributes: ['epoch', 'nonsense', '', '..', 'members.nonsense'] }, always],
    [{ excludedAttributes: ['members', 'meta', X] }, { ...always, displayName }],
    [{ excludedAttributes: ['id', 'schemas'] }, lab],
    [
      { excludedAttributes: ['members.type'] },
      { ...lab, members: [{ value: 'alice@a.test' }, { value: 'bob@b.test' }] },
    ],
    [{ excludedAttributes: [`${X}:admins`] }, { ...lab, [X]: { epoch: 7, state: 'active' } }],
    [
      { attributes: ['displayName', 'members'], excludedAttributes: ['members'] },
      { ...always, displayName },
    ],
    [{ attributes: [X], excludedAttributes: [`${X}:epoch`, `${X}:state`, `${X}:admins`] }, always],
  ])('%j', (wish, shown) => expect(project(GROUPS, lab, wish)).toEqual(shown));

  test.each<[Wish, boolean]>([
    [{}, true],
    [{ attributes: ['displayName'] }, false],
    [{ attributes: ['Members.value'] }, true],
    [{ excludedAttributes: ['members'] }, false],
    [{ excludedAttributes: ['members.value'] }, true],
    [{ attributes: [X] }, false],
  ])('whether members are: %j', (wish, wished) => expect(isWished(GROUPS, 'members', wish)).toBe(wished));
});

test('what has no value is last, and first when descending', () => {
  const [one, two, none] = [{ id: '1', displayName: 'a' }, { id: '2', displayName: 'B' }, { id: '3' }] as const;
  const by = (path: string, descending: boolean) => sorted(GROUPS, [none, two, one], attributePath(path)!, descending);
  expect(by('displayName', false)).toEqual([one, two, none]);
  expect(by('displayName', true)).toEqual([none, two, one]);
  expect(by('members', false)).toEqual([none, two, one]);
  expect(() => by('meta', false)).toThrow('scim.value');
  expect(() => by('nonsense', false)).toThrow('scim.value');
});

describe('what is asked', () => {
  const plain = { filter: undefined, sortBy: undefined, descending: false, startIndex: 1 };
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];

  test('as a query and as a body', () => {
    expect(searchOfQuery({})).toEqual(plain);
    expect(searchOfBody({ schemas })).toEqual(plain);
    const asked = { sortBy: 'id', sortOrder: 'descending' };
    const wanted = { ...plain, sortBy: { name: 'id' }, descending: true, startIndex: 3, count: 2 };
    const attributes = ['id', 'members.value'];
    const query = { ...asked, startIndex: '3', count: '2', attributes: 'id, members.value', other: 'x' };
    expect(searchOfQuery(query)).toEqual({ ...wanted, attributes });
    expect(searchOfBody({ schemas, ...asked, startIndex: 3, count: 2, attributes })).toEqual({ ...wanted, attributes });
  });

  test.each([
    ['0', 1, 0],
    ['-1', 1, 0],
    ['+5', 5, 5],
    ['99999999999999999999', 2_000_000_000, MOST_RESOURCES],
  ])('%s is kept within bounds', (number, startIndex, count) => {
    expect(searchOfQuery({ startIndex: number, count: number })).toMatchObject({ startIndex, count });
    expect(searchOfBody({ schemas, startIndex: Number(number), count: Number(number) })).toMatchObject({
      startIndex,
      count,
    });
  });

  test.each([
    { startIndex: '' },
    { startIndex: '1e3' },
    { count: '999999999999999999999' },
    { count: ['1', '2'] },
    { filter: ['id pr', 'id pr'] },
    { sortOrder: 'up' },
    { sortBy: 'a b' },
    { attributes: 'x'.repeat(301) },
    { excludedAttributes: Array.from({ length: 101 }, () => 'x').join(',') },
  ])('%j is refused', (query) => expect(() => searchOfQuery(query)).toThrow('scim.value'));

  test.each([
    undefined,
    null,
    [],
    {},
    { schemas: [] },
    { schemas: ['x'] },
    { schemas, count: '1' },
    { schemas, startIndex: Infinity },
    { schemas, attributes: 'id' },
    { schemas, filter: { id: 1 } },
  ])('%j is no search', (body) => expect(() => searchOfBody(body)).toThrow('body.malformed'));
});
