import { expect, test } from 'vitest';
import { agree } from './agreement.js';
import { lose } from './forgery.js';
import { labOfStorage as lab, StoredFile } from './stored-file.js';

const HOUR = 3_600_000;

test('R-193 keys get old, and somebody may ask for a new one; two wishes are one', async () => {
  const { world, group, alice, bob } = await lab({ COVEY_FILE_KEY_AGE: '864000' });
  await using _ = world;
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  const wishes = await Promise.all([alice.rotation(file.share, true), alice.rotation(file.share, true)]);
  expect(wishes).toMatchObject([
    { version: 2, cause: 'asked', state: 'due' },
    { version: 2, cause: 'asked', state: 'due' },
  ]);
  await file.rotate();
  await world.pass(9 * 24 * HOUR);
  expect(await alice.rotations()).toEqual([]);
  await world.pass(2 * 24 * HOUR);
  expect(await alice.rotations()).toMatchObject([{ version: 3, cause: 'age', state: 'due' }]);
  await file.rotate();
  await world.settle();
  expect(await file.readBy(bob)).toBe('secret');
  const plain = await alice.share(group, 'plain.txt');
  await expect(alice.rotation(plain, true)).rejects.toThrow('share.not-encrypted');
  // Each file is listed once, with its latest change.
  expect((await alice.rotations('done')).map(({ version }) => version)).toEqual([3]);
  await alice.rotation(file.share, true);
  expect((await alice.rotations()).map(({ version }) => version)).toEqual([4]);
  expect(await alice.rotations('done')).toEqual([]);
});

test('R-195 where the policy says so nothing is done for a user who has access through another group', async () => {
  const { world, group, alice, bob, charlie } = await lab({ COVEY_FILE_KEY_ROTATION: 'skip-when-audience-unchanged' });
  await using _ = world;
  const attic = await alice.createGroup('attic', [charlie]);
  await world.settle();
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  const other = await alice.shareEncrypted(attic, 'data.tar');
  await world.settle();
  await alice.remove(group, charlie);
  await world.settle();
  expect(await alice.rotations()).toEqual([]);
  expect(await file.readBy(charlie)).toBe('secret');
  // The end of that share takes it from Charlie at last.
  await alice.unshare(other);
  await world.settle();
  expect(await alice.rotations()).toMatchObject([{ cause: 'share-ended', state: 'due' }]);
  await file.rotate();
  await world.settle();
  expect(await file.readBy(bob)).toBe('secret');
  await alice.remove(group, bob);
  await world.settle();
  expect(await alice.rotations()).toMatchObject([{ version: 3, cause: 'member-removed' }]);
});

test('R-192 epochs that this server has not seen may have had members of whom it knows nothing', async () => {
  const { world, group, alice, bob } = await lab();
  await using _ = world;
  await alice.appoint(group, bob);
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  expect(await alice.rotations()).toEqual([]);
  await lose(world, 'a.test', (await alice.sees(group)).mlsGroupId);
  await world.pass(HOUR);
  await agree(group, alice, bob);
  expect(await alice.rotations()).toMatchObject([{ cause: 'epochs-missed', state: 'due' }]);
  await file.rotate();
  await world.settle();
  expect(await file.readBy(bob)).toBe('secret');
});
