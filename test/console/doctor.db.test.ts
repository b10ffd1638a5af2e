import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.js';

interface Found {
  readonly checks: readonly { readonly name: string; readonly state: string; readonly says: string }[];
}

const examined = async (world: World, query = '') => {
  const { status, body } = await world.server('a.test').api('GET', `/doctor${query}`);
  expect(status).toBe(200);
  return Object.fromEntries((body as Found).checks.map(({ name, state, says }) => [name, `${state}: ${says}`]));
};

test('a server sees itself as others do, asks them whether they know it, and says what stands still', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, carol] = await world.users('alice@a.test', 'bob@b.test', 'carol@c.test');
  const lab = await alice.createGroup('lab', [bob, carol]);
  expect(await examined(world)).toMatchObject({
    discovery: 'ok: others find https://a.test/ocm',
    keys: 'ok: others find the keys that we sign with',
    'peer b.test': 'ok: accepts our signature',
    'peer c.test': 'ok: accepts our signature',
    letters: 'ok: no letter is dead',
    groups: 'ok: no group is lost here',
  });

  world.wire('a.test', 'c.test').cut();
  expect(await examined(world)).toMatchObject({
    'peer b.test': 'ok: accepts our signature',
    'peer c.test': 'warning: does not answer: peer.unreachable',
  });
  expect(Object.keys(await examined(world, '?peer=b.test')).filter((name) => name.startsWith('peer '))).toEqual([
    'peer b.test',
  ]);

  const server = world.server('a.test');
  await server.backUp();
  await alice.share(lab, 'new.txt');
  await world.settle();
  await server.restoreBackup();
  expect(await examined(world)).toMatchObject({
    groups: 'wrong: 1 groups are lost here and wait to be taken in again',
  });
});

test('it says that a webhook is stopped, and that a list of providers cannot be read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'covey-doctor-'));
  const directories = join(folder, 'directories.json');
  const keys = [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })];
  writeFileSync(directories, JSON.stringify([{ url: 'https://directory.test/list', keys }]));
  try {
    await using world = await World.with({ 'a.test': { COVEY_DIRECTORIES: directories } });
    const hook = { url: 'https://efss.test/hook', after: 'oldest' };
    expect(await world.server('a.test').api('POST', '/webhooks', hook)).toMatchObject({ status: 201 });
    expect(await examined(world)).toMatchObject({
      webhooks: 'ok: no webhook is stopped',
      lists: 'ok: no list of providers is unread',
    });
    const [alice] = await world.users('alice@a.test');
    await alice.createGroup('lab', []);
    await world.pass(6 * 86_400_000);
    expect(await examined(world)).toMatchObject({
      webhooks: 'wrong: 1 webhooks are stopped, and miss what happens',
      lists: 'wrong: 1 lists of providers cannot be read, and grow old',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
