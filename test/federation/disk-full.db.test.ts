import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import type { World } from '../support/world.js';
import { decrypt } from '../support/ciphertext.js';
import { labOfStorage, StoredFile } from './stored-file.js';

const HOUR = 3_600_000;

/** The database of a server has no room for another row in these tables, until there is. */
async function fill(world: World, name: string, ...tables: readonly string[]) {
  const server = world.server(name);
  await server.query(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$`);
  for (const table of tables) {
    await server.query(`CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON ${table} EXECUTE FUNCTION no_room()`);
  }
  const makeRoom = async () => void (await server.query('DROP FUNCTION IF EXISTS no_room CASCADE'));
  return { makeRoom, [Symbol.asyncDispose]: makeRoom };
}

test('R-178 a receiver whose disk is full takes neither shares nor keys, says so, and gets them when there is room', async () => {
  const { world, group, alice, bob, charlie } = await labOfStorage();
  await using _ = world;
  await using full = await fill(world, 'b.test', 'wrapped_key', 'received_share');
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  const answers = world.network.sent({ to: host('b.test') }).map(({ what, outcome }) => `${what} ${outcome}`);
  expect(answers).toContain('MLS_APPLICATION 503');
  expect(await bob.receives()).toEqual([]);
  expect(await file.readBy(charlie)).toBe('secret');
  await full.makeRoom();
  await world.pass(HOUR);
  expect(await file.readBy(bob)).toBe('secret');
});

test('R-194 a sender whose disk is full changes no key by halves: what was asked is refused, and done when there is room', async () => {
  const { world, group, alice, bob } = await labOfStorage();
  await using _ = world;
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await world.settle();
  const { rotation, oldFileKey } = await alice.beginRotation(await alice.rotation(file.share, true));
  await using full = await fill(world, 'a.test', 'file_key_delivery');
  await expect(alice.finishRotation(rotation)).rejects.toThrow('database.unavailable');
  await world.settle();
  expect(await alice.keyOfShared(file.share)).toBe(oldFileKey);
  expect(await decrypt(file.bytes, await bob.fileKey('data.tar'))).toBe('secret');
  await full.makeRoom();
  await file.rotate();
  await world.settle();
  expect(await alice.rotation(file.share)).toMatchObject({ version: 2, state: 'done' });
  expect(await file.readBy(bob)).toBe('secret');
});
