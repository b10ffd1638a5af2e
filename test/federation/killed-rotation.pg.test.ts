import { expect, test } from 'vitest';
import { encrypt } from '../support/ciphertext.js';
import { labOfStorage, StoredFile } from './stored-file.js';

test('R-192 R-194 a rotation that is killed at every step goes on, with the same new key, and reaches everybody', async () => {
  const { world, group, alice, bob, charlie } = await labOfStorage();
  await using _ = world;
  const file = await StoredFile.of(alice, group, 'data.tar', 'secret');
  await alice.remove(group, charlie);
  await world.settle();
  const server = world.server('a.test');
  const wanted = (await alice.rotation(file.share)).resourceId;
  /** Dies after each statement, and tries again until nothing is left to die at. */
  const killedEverywhere = async (work: () => Promise<unknown>) => {
    for (let statement = 1; ; statement++) {
      server.crash.arm(statement, 'after');
      await work().catch(() => undefined);
      if (server.isAlive) return server.crash.disarm();
      await world.restart('a.test');
    }
  };
  const given = new Set<string>();
  await killedEverywhere(async () => given.add((await alice.beginRotation({ resourceId: wanted })).newFileKey));
  const { rotation, newFileKey } = await alice.beginRotation({ resourceId: wanted });
  expect([...given]).toEqual([newFileKey]);
  file.bytes = await encrypt('secret', newFileKey);
  // Whoever crashed after that sees by the file how far it was.
  expect(await alice.writtenUnder(file.share, file.bytes)).toBe('next');
  await killedEverywhere(() => alice.finishRotation(rotation));
  await killedEverywhere(() => server.turns.find(({ name }) => name === 'shares.new-keys')!.turn());
  await world.settle();
  expect(await alice.rotation(file.share)).toMatchObject({ state: 'done', version: 2 });
  for (const who of [alice, bob]) expect(await file.readBy(who)).toBe('secret');
  expect(await server.query('SELECT 1 FROM file_key_rotation WHERE file_key IS NOT NULL')).toEqual([]);
});
