import { createApplicationMessage, encodeMlsMessage } from 'ts-mls';
import { expect, test } from 'vitest';
import { toBase64url, utf8 } from '../../src/kernel/bytes.js';
import type { Person } from '../support/cast.js';
import type { World } from '../support/world.js';
import { labOfThree, notice, stateOn, tell } from './forgery.js';

interface Said {
  readonly mlsGroupId: string;
  readonly by: Person;
  readonly data: object | string;
}

/** What a member's server says that does as it likes. */
async function say(world: World, { mlsGroupId, by, data }: Said) {
  const from = by.address.split('@')[1]!;
  const { state, suite } = await stateOn(world, from, mlsGroupId, by.address);
  const { privateMessage } = await createApplicationMessage(state, utf8(JSON.stringify(data)), suite);
  const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
  return notice('MLS_APPLICATION', from, { mlsGroupId, content: toBase64url(message) });
}

async function shared() {
  const scene = await labOfThree();
  const { world, lab, alice, bob } = scene;
  const share = await alice.shareEncrypted(lab, 'data.tar');
  await world.settle();
  const key = await alice.keyOfShared(share);
  const resourceId = (await bob.receives())[0]!.encryption!.resourceId;
  const entry = (changes: object = {}) => ({
    keys: [{ resourceId, groupId: lab, wrappedKey: toBase64url(new Uint8Array(60)), ...changes }],
  });
  const rows = (server: string) =>
    world
      .server(server)
      .query<{ sender: string }>('SELECT sender_host AS sender, generation FROM wrapped_key ORDER BY 1');
  return { ...scene, key, entry, rows };
}

test('R-178 A-06 whoever else says something about a resource says it under their own name, and nobody’s key changes', async () => {
  const { world, lab: _, mlsGroupId, bob, charlie, key, entry, rows } = await shared();
  await using __ = world;
  for (let times = 0; times < 2; times++) {
    const said = await say(world, { mlsGroupId, by: bob, data: entry() });
    expect(await tell(world, 'b.test', 'c.test', said)).toMatchObject({ status: 201 });
  }
  expect((await rows('c.test')).map(({ sender }) => sender)).toEqual(['a.test', 'b.test']);
  expect(await charlie.fileKey('data.tar')).toBe(key);
});

test('R-102 R-101 of another group nothing is said here, neither inside a message nor around it', async () => {
  const { world, mlsGroupId, alice, bob, charlie, entry, rows } = await shared();
  await using _ = world;
  const attic = await alice.createGroup('attic', [bob, charlie]);
  await world.settle();
  const before = await rows('c.test');
  const said = await say(world, { mlsGroupId, by: bob, data: entry({ groupId: attic }) });
  expect(await tell(world, 'b.test', 'c.test', said)).toMatchObject({ status: 201 });
  const other = (await alice.sees(attic)).mlsGroupId;
  const around = structuredClone(await say(world, { mlsGroupId, by: bob, data: entry() }));
  (around as { notification: { federation: { mlsGroupId: string } } }).notification.federation.mlsGroupId = other;
  expect(await tell(world, 'b.test', 'c.test', around)).toMatchObject({ status: 400, code: 'application.wrong-group' });
  expect(await rows('c.test')).toEqual(before);
});

test('a message that another server brings, and one that cannot be read, are refused and move nothing', async () => {
  const { world, mlsGroupId, bob, charlie, key, entry, rows } = await shared();
  await using _ = world;
  const before = await rows('c.test');
  const said = await say(world, { mlsGroupId, by: bob, data: entry() });
  const brought = { ...said, senderDomain: 'a.test' };
  expect(await tell(world, 'a.test', 'c.test', brought)).toMatchObject({
    status: 403,
    code: 'application.not-from-home',
  });
  for (const data of [{ keys: [{}] }, entry({ wrappedKey: toBase64url(new Uint8Array(61)) }), 'hello']) {
    const bad = await say(world, { mlsGroupId, by: bob, data });
    expect(await tell(world, 'b.test', 'c.test', bad)).toMatchObject({ status: 400, code: 'application.malformed' });
  }
  expect(await rows('c.test')).toEqual(before);
  // The generation is as good as before.
  expect(await tell(world, 'b.test', 'c.test', said)).toMatchObject({ status: 201 });
  expect(await rows('c.test')).toHaveLength(2);
  expect(await charlie.fileKey('data.tar')).toBe(key);
});

test('R-178 R-183 what comes again, later or from before, changes nothing; a stranger’s mail of the future is not kept', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie, key, rows } = await shared();
  await using _ = world;
  const [first] = world.network.sent({ to: 'c.test' as never, what: 'MLS_APPLICATION' });
  const again = JSON.parse(Buffer.from(first!.request.body!).toString()) as object;
  const before = await rows('c.test');
  expect(await tell(world, 'a.test', 'c.test', again)).toMatchObject({ status: 201 });
  expect(await rows('c.test')).toEqual(before);
  await alice.appoint(lab, bob);
  await world.settle();
  await alice.appoint(lab, charlie);
  await world.settle();
  expect(await tell(world, 'a.test', 'c.test', again)).toMatchObject({ status: 409, code: 'application.stale' });
  expect(await charlie.fileKey('data.tar')).toBe(key);
  const ahead = Buffer.from(
    (again as never as { notification: { federation: { content: string } } }).notification.federation.content,
    'base64url',
  );
  ahead[ahead.indexOf(Buffer.from(mlsGroupId, 'base64url')) + 32 + 7] = 99;
  await world.add('x.test');
  const strange = notice('MLS_APPLICATION', 'x.test', { mlsGroupId, content: ahead.toString('base64url') });
  expect(await tell(world, 'x.test', 'c.test', strange)).toMatchObject({ status: 503, code: 'application.too-early' });
});

test('R-183 a credential for another server, or for what another server shares, changes nothing', async () => {
  const { world, lab, mlsGroupId, bob, charlie } = await shared();
  await using _ = world;
  await bob.share(lab, 'his.tar');
  await world.settle();
  const secrets = () => world.server('c.test').query('SELECT provider_id, secret FROM received_share ORDER BY 1');
  const before = await secrets();
  const received = await charlie.receives();
  const offer = async (name: string, recipient: string) => {
    const { providerId } = received.find((share) => share.name === name)!;
    const credentials = [{ providerId, groupId: lab, recipient, sharedSecret: 'mine' }];
    return tell(world, 'b.test', 'c.test', await say(world, { mlsGroupId, by: bob, data: { keys: [], credentials } }));
  };
  expect(await offer('his.tar', 'a.test')).toMatchObject({ status: 201 });
  expect(await secrets()).toEqual(before);
});
