import type { ClientState } from 'ts-mls';
import { beforeAll, expect, test } from 'vitest';
import { secretsOf } from '../../src/mls/advance-group.js';
import { advance, buildCommit, type BuiltCommit, join } from '../../src/mls/epoch.js';
import { joinBeside } from '../../src/mls/join-beside.js';
import { type Fellow, fellow, Fellowship, NOW } from './support/fellows.js';
import { standing } from './support/refusals.js';

const NOTHING = { add: [], remove: [], proposals: [], now: NOW };

let group: Fellowship;
let erin: Fellow;
let frank: Fellow;
let added: BuiltCommit;
let here: ClientState;
beforeAll(async () => {
  group = await standing();
  [erin, frank] = [await fellow('erin', group.suite), await fellow('frank', group.suite)];
  added = await buildCommit(
    group.state('alice'),
    { ...NOTHING, add: [erin.keyPackage, frank.keyPackage] },
    group.suite,
  );
  here = await join(added.welcome!, erin.keyPackage, erin.privateKeys, group.suite);
});

const beside = (state: ClientState, { keyPackage, privateKeys } = frank) =>
  joinBeside(state, added.welcome!, keyPackage, privateKeys, group.suite);

test('a further leaf gets the same secrets as if it had joined by itself, and follows with them', async () => {
  const secrets = (await beside(here))!;
  const alone = await join(added.welcome!, frank.keyPackage, frank.privateKeys, group.suite);
  expect(secrets).toEqual(secretsOf(alone));
  const next = await buildCommit(added.next, NOTHING, group.suite);
  const { state } = await advance({ ...here, ...secrets }, next, group.suite);
  expect(state.keySchedule.epochAuthenticator).toEqual(next.next.keySchedule.epochAuthenticator);
});

test('a Welcome into another epoch, or another group, is left to be judged as a whole', async () => {
  expect(await beside(group.state('bob'))).toBeUndefined();
  const later = await advance(here, await buildCommit(added.next, NOTHING, group.suite), group.suite);
  expect(await beside(later.state)).toBeUndefined();
  const other = await standing();
  expect(await beside(other.state('bob'))).toBeUndefined();
});

test('R-221 a tree that names another signer lets nobody in', async () => {
  const ratchetTree = here.ratchetTree.map((node, index) =>
    index === 0 && node?.nodeType === 'leaf'
      ? { ...node, leaf: { ...node.leaf, signaturePublicKey: new Uint8Array(32).fill(7) } }
      : node,
  );
  await expect(beside({ ...here, ratchetTree })).rejects.toThrow('welcome.invalid');
});

test('what is for another KeyPackage is not ours', async () => {
  await expect(beside(here, await fellow('grace', group.suite))).rejects.toThrow('welcome.not-ours');
});
