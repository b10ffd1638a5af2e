import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { groupResource, placeOf, userResource } from '../../src/scim/resources.js';

const place = placeOf({ domain: host('a.test'), publicUrl: 'https://a.test' });
const alice = ocmAddress('alice@a.test');
const roster = {
  mlsGroupId: 'bGFi' as MlsGroupId,
  address: ocmAddress('lab@a.test'),
  epoch: epoch(7),
  history: 0,
  state: 'active' as const,
  admins: [alice],
  members: [alice],
};
const user = { address: alice, displayName: 'Alice', createdAt: new Date(0), active: true, groups: [] };

test.each([
  ['a group', (externalId?: string) => groupResource(place, roster, [], externalId)],
  ['a user', (externalId?: string) => userResource(place, { ...user, externalId }, [])],
])('%s has another version with another externalId', (_, of) => {
  const versions = [undefined, 'one', 'two'].map(
    (externalId) => (of(externalId)['meta'] as { version: string }).version,
  );
  expect(new Set(versions).size).toBe(3);
  expect(of('one')['externalId']).toBe('one');
  expect(of()).not.toHaveProperty('externalId');
});
