import { expect, test } from 'vitest';
import { agree } from './agreement.js';
import { lose } from './forgery.js';
import { decrypt, encrypt } from '../support/ciphertext.js';
import { labOfStorage as lab, StoredFile } from './stored-file.js';

const HOUR = 3_600_000;

test('R-197 R-198 R-199 in a formal federation keys are reused, and who was removed can still read what comes into his hands', async () => {
  const { world, group, alice, bob, charlie } = await lab({ COVEY_FILE_KEY_REUSE: 'lab@a.test' });
  await using _ = world;
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  const charlies = await charlie.fileKey('data.tar');
  await alice.remove(group, charlie);
  await world.settle();
  expect(await alice.rotations()).toEqual([]);
  // No server gives it to him any more, but what he kept opens what is written after that.
  expect(await charlie.fileKey('data.tar')).toBe('nothing of that name');
  file.bytes = await encrypt('written later', await bob.fileKey('data.tar'));
  expect(await decrypt(file.bytes, charlies)).toBe('written later');
  // Nothing of it is told to others.
  const told = world.network.exchanges.map(({ request }) => Buffer.from(request.body ?? []).toString());
  expect(told.filter((text) => /reuse|rotat/i.test(text))).toEqual([]);
});

test('R-192 a file that is shared again, after nobody had access, gets a new key first', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const attic = await alice.createGroup('attic', [charlie]);
  await world.settle();
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  const bobs = await bob.fileKey('data.tar');
  await alice.unshare(file.share);
  await world.settle();
  expect(await alice.rotations()).toEqual([]);
  await alice.shareEncrypted(attic, 'data.tar');
  expect(await alice.rotations()).toMatchObject([{ cause: 'shared-again', state: 'due' }]);
  await file.rotate();
  await world.settle();
  expect(await file.readBy(charlie)).toBe('secret');
  expect(await decrypt(file.bytes, bobs)).toBe('content.key-mismatch');
});

test('R-139 R-194 a group that is lost when the new key is in use gets it when it is back', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await alice.appoint(group, bob);
  await alice.remove(group, charlie);
  await world.settle();
  await lose(world, 'a.test', (await alice.sees(group)).mlsGroupId);
  await file.rotate();
  expect(await file.readBy(bob)).toBe('content.key-mismatch');
  await world.pass(HOUR);
  await agree(group, alice, bob);
  expect(await alice.rotations('sending')).toEqual([]);
  expect(await file.readBy(bob)).toBe('secret');
});

test('R-192 R-196 somebody who came and went while the server of the file heard nothing had its key all the same', async () => {
  const { world, group, alice, bob } = await lab();
  await using _ = world;
  const [dora] = await world.users('dora@c.test');
  await alice.appoint(group, bob);
  await world.settle();
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  // Bob's server takes the Commits of the group from now on.
  await alice.resign(group);
  await world.settle();
  for (const from of ['b.test', 'c.test']) world.wire(from, 'a.test').cut();
  await bob.add(group, dora);
  await world.settle();
  const doras = await dora.fileKey('data.tar');
  expect(await decrypt(file.bytes, doras)).toBe('secret');
  await bob.remove(group, dora);
  await world.settle();
  expect(await alice.rotations()).toEqual([]);
  for (const from of ['b.test', 'c.test']) world.wire(from, 'a.test').mend();
  await world.pass(HOUR);
  await agree(group, alice, bob);
  expect(await alice.rotations()).toMatchObject([{ cause: 'member-removed', state: 'due' }]);
  await file.rotate();
  await world.settle();
  expect(await file.readBy(bob)).toBe('secret');
  expect(await decrypt(file.bytes, doras)).toBe('content.key-mismatch');
});

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
