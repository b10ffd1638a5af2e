import { expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { lab, wrappedIn } from './file-keys-lab.js';

const HOUR = 3_600_000;
const [a, b] = ['a.test', 'b.test'].map(host) as [never, never];
const NO_KEY = 'nothing of that name';

test('R-016 R-029 R-113 R-120 R-170 R-171 R-172 R-176 R-187 R-196 the file key reaches every member server, in each epoch anew, and who joins later reads', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  const share = await alice.shareEncrypted(group, 'data.tar');
  await world.settle();
  const key = await alice.keyOfShared(share);
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  expect(await bob.fileKey('data.tar')).toBe(key);
  expect(await alice.fileKey('data.tar')).toBe(key);
  const { epoch } = await alice.sees(group);
  expect(await wrappedIn(world, 'b.test')).toEqual([epoch]);

  await alice.add(group, charlie);
  await world.settle();
  expect(await charlie.fileKey('data.tar')).toBe(key);
  expect(await bob.fileKey('data.tar')).toBe(key);
  for (const server of ['b.test', 'c.test']) expect(await wrappedIn(world, server)).toEqual([epoch + 1]);
  // Any Commit, an empty one too.
  await alice.appoint(group, bob);
  await world.settle();
  for (const server of ['b.test', 'c.test']) expect(await wrappedIn(world, server)).toEqual([epoch + 2]);
  const [first] = world.network.sent({ from: a, what: 'MLS_APPLICATION' });
  expect(Buffer.from(first!.request.body!).toString()).not.toContain(share.id);
  expect(await world.server('a.test').query('SELECT 1 FROM wrapped_key')).toEqual([]);
});

test('R-163 R-211 R-212 D-21 the share says which resource it is and how it is encrypted, and of no epoch', async () => {
  const { world, group, alice, bob } = await lab();
  await using _ = world;
  const share = await alice.shareEncrypted(group, 'data.tar', 'CHACHA20-POLY1305');
  await world.settle();
  const [notice] = world.network.sent({ from: a, to: b, what: '/ocm/shares' });
  const { encryption, providerId } = JSON.parse(Buffer.from(notice!.request.body!).toString()) as Record<
    string,
    object
  >;
  expect(encryption).toEqual({
    resourceId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    scheme: 'ocm-mls',
    'ocm-mls': { cipher: 'CHACHA20-POLY1305', format: 'ocm-stream-1' },
  });
  const { resourceId } = encryption as { resourceId: string };
  expect([providerId, share.id, 'file-data.tar']).not.toContain(resourceId);
  const [received] = await bob.receives();
  expect(received).toMatchObject({ encryption: { resourceId, cipher: 'CHACHA20-POLY1305', format: 'ocm-stream-1' } });
  await expect(alice.shareEncrypted(group, 'data.tar', 'AES-128-GCM')).rejects.toThrow('share.cipher-fixed');
  const plain = await alice.share(group, 'plain.txt');
  await world.settle();
  await expect(alice.keyOfShared(plain)).rejects.toThrow('share.not-encrypted');
  expect(await bob.fileKey('plain.txt')).toBe('share.not-encrypted');
});

test('R-174 R-175 D-20 a key of the epoch before opens for an hour; R-200 who is removed has it no more', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  await alice.add(group, charlie);
  await world.settle();
  const key = await alice.keyOfShared(await alice.shareEncrypted(group, 'data.tar'));
  await world.settle();
  for (let lost = 0; lost < 100; lost++) world.wire(a, b).loseNextRequest('MLS_APPLICATION');
  await alice.appoint(group, charlie);
  await world.settle();
  expect(await bob.fileKey('data.tar')).toBe(key);
  await world.pass(1.1 * HOUR);
  expect(await bob.fileKey('data.tar')).toBe('share.key-superseded');
  world.wire(a, b).calm();
  await world.pass(2 * HOUR);
  expect(await bob.fileKey('data.tar')).toBe(key);

  const [{ id } = { id: '' }] = await bob.receives();
  await alice.remove(group, bob);
  await world.settle();
  expect(await bob.fileKey('data.tar')).toBe(NO_KEY);
  expect(await bob.fileKeyById(id)).toMatch(/^share\.(unknown|not-recipient)$/);
  expect(await charlie.fileKey('data.tar')).toBe(key);
  for (const table of ['mls_group', 'mls_leaf', 'earlier_group_key']) {
    expect(await world.server('b.test').query(`SELECT 1 FROM ${table}`)).toEqual([]);
  }
});

test('R-181 R-182 R-184 R-185 a new credential goes to one server only, and the old one dies when it was delivered', async () => {
  const { world, group, alice, bob, charlie } = await lab();
  await using _ = world;
  await alice.add(group, charlie);
  await world.settle();
  const share = await alice.share(group, 'data.tar');
  await world.settle();
  const secrets = async (server: string) => {
    const [row] = await world.server(server).query<{ secret: Buffer }>(`SELECT secret FROM received_share`);
    return row!.secret.toString('hex');
  };
  const before = { b: await secrets('b.test'), c: await secrets('c.test') };
  const grant = async () => {
    const [row] = await world
      .server('a.test')
      .query<{ old: Buffer; next: Buffer | null }>(
        `SELECT secret_hash AS old, next_hash AS next FROM token_grant WHERE recipient = 'b.test'`,
      );
    return { old: row!.old.toString('hex'), next: row!.next?.toString('hex') };
  };
  const first = await grant();
  world.wire(a, b).cut();
  expect(await alice.rotateCredentials(share, 'b.test')).toEqual(['b.test']);
  await world.settle();
  // Nobody has it yet: the old one is as good as before.
  const offered = await grant();
  expect(offered).toMatchObject({ old: first.old, next: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  expect(await bob.open('data.tar')).toHaveProperty('access_token');
  world.wire(a, b).mend();
  await world.pass(HOUR);
  expect(await secrets('b.test')).not.toBe(before.b);
  expect(await secrets('c.test')).toBe(before.c);
  expect(await grant()).toEqual({ old: offered.next, next: undefined });
  expect(await bob.open('data.tar')).toHaveProperty('access_token');
  expect(await charlie.open('data.tar')).toHaveProperty('access_token');
  const told = world.network.sent({ from: a, what: 'MLS_APPLICATION' }).map(({ to }) => to);
  expect(new Set(told)).toEqual(new Set([b]));
  await alice.unshare(share);
  await expect(alice.rotateCredentials(share)).rejects.toThrow('share.over');
});
