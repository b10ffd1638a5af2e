import { expect, test } from 'vitest';
import { agree } from './agreement.js';
import { lose } from './forgery.js';
import { decrypt, encrypt } from '../support/ciphertext.js';
import { labOfStorage as lab, StoredFile } from './stored-file.js';

const HOUR = 3_600_000;

test('R-192 R-194 R-196 A-18 who is removed is shut out: the file gets a new key, and what was written under the old one is refused', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const [dora] = await world.users('dora@b.test');
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  const charlies = await charlie.fileKey('data.tar');
  expect(await decrypt(file.bytes, charlies)).toBe('secret');
  await alice.add(group, dora);
  await world.settle();
  expect(await alice.rotations()).toEqual([]);
  await alice.remove(group, charlie);
  await world.settle();
  const [due] = await alice.rotations();
  expect(due).toMatchObject({ version: 2, cause: 'member-removed', state: 'due', bytesDone: 0, bytesTotal: null });
  await expect(alice.progressOfRotation(due!, 1, 2)).rejects.toThrow('rotation.not-begun');
  await expect(alice.finishRotation(due!)).rejects.toThrow('rotation.not-begun');

  const { rotation, oldFileKey, newFileKey } = await alice.beginRotation(due!);
  expect(oldFileKey).toBe(charlies);
  expect(newFileKey).not.toBe(oldFileKey);
  expect(await alice.progressOfRotation(rotation, 3, 6)).toMatchObject({
    state: 'under-way',
    bytesDone: 3,
    bytesTotal: 6,
  });
  // Until it is finished all go on with the old one, and who writes writes under that.
  expect(await file.readBy(bob)).toBe('secret');
  const renewed = await encrypt('secret', newFileKey);
  expect(await alice.writtenUnder(file.share, file.bytes)).toBe('current');
  expect(await alice.writtenUnder(file.share, renewed)).toBe('next');
  expect(await alice.writtenUnder(file.share, Buffer.alloc(78))).toBe('other');
  file.bytes = renewed;
  await alice.finishRotation(rotation);
  await world.settle();
  expect(await alice.rotation(file.share)).toMatchObject({ state: 'done', bytesDone: 6 });
  for (const who of [alice, bob, dora]) expect(await file.readBy(who)).toBe('secret');
  expect(await decrypt(file.bytes, charlies)).toBe('content.key-mismatch');
  expect(await alice.writtenUnder(file.share, await encrypt('by Charlie', charlies))).toBe('other');
  expect(await alice.writtenUnder(file.share, file.bytes)).toBe('current');
  // Once more is no error; a version of then is not one of now.
  expect(await alice.finishRotation(rotation)).toMatchObject({ state: 'done', version: 2 });
  await expect(alice.beginRotation(rotation)).rejects.toThrow('rotation.over');
  await expect(alice.progressOfRotation(rotation, 1, 2)).rejects.toThrow('rotation.over');
  await expect(alice.finishRotation({ ...rotation, version: 3 })).rejects.toThrow('rotation.not-begun');
});

test('R-190 R-191 R-194 one file in two groups: the new key goes to both, and a second removal meanwhile needs no other one', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const [dora] = await world.users('dora@c.test');
  const attic = await alice.createGroup('attic', [charlie, dora]);
  await world.settle();
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await alice.shareEncrypted(attic, 'data.tar');
  await world.settle();
  await alice.remove(group, bob);
  await world.settle();
  const { rotation, newFileKey } = await alice.beginRotation(await alice.rotation(file.share));
  await alice.remove(attic, charlie);
  await world.settle();
  expect(await alice.rotations()).toHaveLength(1);
  file.bytes = await encrypt('secret', newFileKey);
  await alice.finishRotation(rotation);
  await world.settle();
  expect(await file.readBy(dora)).toBe('secret');
  // Through the first group.
  expect(await file.readBy(charlie)).toBe('secret');
  expect(await alice.rotations()).toEqual([]);
  await alice.remove(group, charlie);
  await world.settle();
  expect(await alice.rotations()).toMatchObject([{ version: 3, state: 'due' }]);
});

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
