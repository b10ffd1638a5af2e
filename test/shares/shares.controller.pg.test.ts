import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { type Post, post } from './signed-post.js';

let world: World;
let [alice, bob]: Person[] = [];
let lab: string;
let count = 0;

beforeAll(async () => {
  world = await World.of('a.test', 'b.test', 'c.test');
  [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  lab = await alice.createGroup('lab', [bob]);
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.clock.advanceSeconds(1));

const webdav = { uri: 'data.tar', sharedSecret: 'tell-nobody', permissions: ['read'] };
const notice = (change: object = {}) => ({
  shareWith: lab,
  shareType: 'federation',
  resourceType: 'file',
  name: `hand-made ${count}`,
  providerId: `p-${count++}`,
  owner: 'alice@a.test',
  sender: 'alice@a.test',
  protocol: { name: 'multi', webdav },
  ...change,
});
const send = (body: object, change: Partial<Post> = {}) =>
  post(world, { from: 'a.test', to: 'b.test', path: '/shares', body, ...change });
const coded = async (answer: ReturnType<typeof send>) => {
  const { status, body } = await answer;
  return [status, body!['code']];
};
const names = async () => (await bob!.receives()).map(({ name }) => name);

test('a notice is answered 201 with the name of the recipient, and a second time alike', async () => {
  const body = notice();
  const first = await send(body);
  expect([first.status, first.body]).toEqual([201, { recipientDisplayName: lab }]);
  world.clock.advanceSeconds(1);
  expect((await send(body)).body).toEqual(first.body);
  expect((await names()).filter((name) => name === body.name)).toHaveLength(1);
});

test('a notice that is changed under the same providerId is refused', async () => {
  const body = notice();
  await send(body);
  world.clock.advanceSeconds(1);
  expect(await coded(send({ ...body, name: 'other' }))).toEqual([409, 'share.changed']);
  expect(await names()).not.toContain('other');
});

test('unsigned, or signed by somebody else, a notice is worth nothing', async () => {
  const before = await names();
  expect(await coded(send(notice(), { signed: false }))).toEqual([401, 'signature.missing']);
  expect(await coded(send(notice(), { from: 'c.test' }))).toEqual([401, 'signature.wrong-domain']);
  const carol = { sender: 'carol@c.test', owner: 'alice@a.test' };
  expect(await coded(send(notice(carol), { from: 'c.test' }))).toEqual([403, 'share.owner-foreign']);
  expect(await names()).toEqual(before);
});

test.each([
  ['a share with a user', { shareType: 'user' }, 501, 'share.type-unsupported'],
  ['a share with a group of one server', { shareType: 'group' }, 501, 'share.type-unsupported'],
  ['a resource of another type', { resourceType: 'calendar' }, 501, 'share.type-unsupported'],
  ['a protocol that is not spoken here', { protocol: { name: 'ssh' } }, 501, 'share.protocol-unsupported'],
  [
    'a requirement that could not be kept',
    { protocol: { name: 'multi', webdav: { ...webdav, requirements: ['must-dance'] } } },
    501,
    'share.requirement-unknown',
  ],
  [
    'a share that is encrypted for single keys',
    { encryption: { resourceId: 'r', scheme: 'ocm-pgp', 'ocm-pgp': { fingerprints: ['0123456789abcdef'] } } },
    501,
    'share.encryption-unsupported',
  ],
  ['a share that has expired', { expiration: 1 }, 400, 'share.expired'],
  [
    'a member of ours to be as sender',
    { sender: 'eve@a.test', owner: 'eve@a.test' },
    503,
    'share.sender-not-yet-member',
  ],
])('%s is refused', async (_, change, status, code) => {
  expect(await coded(send(notice(change)))).toEqual([status, code]);
});

test('what is wrong with a body is told field by field, and the secret is not repeated', async () => {
  const { status, body } = await send(notice({ shareWith: 'lab', name: undefined }));
  expect([status, body!['message']]).toEqual([400, 'BODY_MALFORMED']);
  expect(body!['validationErrors']).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'shareWith' }), { name: 'name', message: 'REQUIRED' }]),
  );
  expect(JSON.stringify(body)).not.toContain('tell-nobody');
});

test('R-202 R-207 what is shared on one server is open on the other, once, though the answer was lost', async () => {
  world.wire('a.test', 'b.test').loseNextResponse();
  const { id } = await alice!.share(lab, 'data.tar');
  await world.settle();
  await world.pass(60_000);
  expect((await names()).filter((name) => name === 'data.tar')).toHaveLength(1);
  const sent = world.network.sent({ to: host('b.test'), what: '/ocm/shares', from: host('a.test') }).slice(-2);
  expect(sent.map(({ deliveries }) => deliveries)).toEqual([1, 1]);
  expect(sent[0]!.request.body).toEqual(sent[1]!.request.body);
  const { servers } = await alice!.shared({ id });
  expect(servers).toMatchObject([
    { server: 'a.test', state: 'accepted' },
    { server: 'b.test', state: 'accepted' },
  ]);
  expect(await bob!.open('data.tar')).toMatchObject({ uri: 'https://a.test/webdav/data.tar' });
});

test('R-201 who is removed can open nothing any more, and the own server is told that the share is over', async () => {
  const [carol] = await world.users('carol@c.test');
  await alice!.add(lab, carol);
  await world.settle();
  const [received] = (await carol.receives()).filter(({ name }) => name === 'data.tar');
  expect(await carol.openById(received!.id)).toMatchObject({ access_token: expect.any(String) as unknown });
  await alice!.remove(lab, carol);
  await world.settle();
  expect(await carol.receives()).toEqual([]);
  expect(await carol.openById(received!.id)).toBe('share.unknown');
  const told = world.network.sent({ what: 'SHARE_UNSHARED', to: host('c.test') });
  expect(told.map(({ outcome }) => outcome)).toEqual([201]);
  expect(await bob!.open('data.tar')).toMatchObject({ uri: 'https://a.test/webdav/data.tar' });
});

/** What became of everything that a.test told b.test about the share. */
async function toldOf(share: { readonly id: string }): Promise<(string | number)[][]> {
  const [row] = (await alice!.shared(share)).servers.filter(({ server }) => server === 'b.test');
  return world.network.exchanges
    .filter(({ request }) => Buffer.from(request.body ?? []).includes(row!.providerId ?? '-'))
    .map(({ what, outcome }) => [what, outcome]);
}

test('a server that is down while something is shared, and then not any more, never hears what it was', async () => {
  world.wire('a.test', 'b.test').cut();
  const share = await alice!.share(lab, 'short-lived.tar');
  await world.settle();
  await alice!.unshare(share);
  await world.settle();
  world.wire('a.test', 'b.test').mend();
  await world.pass(6 * 3_600_000);
  expect(await names()).not.toContain('short-lived.tar');
  expect((await toldOf(share)).at(-1)).toEqual(['SHARE_UNSHARED', 404]);
  expect((await toldOf(share)).filter(([what, outcome]) => what === '/ocm/shares' && outcome === 201)).toEqual([]);
});

test('a server that took a share, and whose answer was lost, is told of its end', async () => {
  world.wire('a.test', 'b.test').loseNextResponse('/ocm/shares');
  const share = await alice!.share(lab, 'heard-of.tar');
  await world.settle();
  expect(await names()).toContain('heard-of.tar');
  await alice!.unshare(share);
  await world.pass(6 * 3_600_000);
  expect(await names()).not.toContain('heard-of.tar');
  expect((await toldOf(share)).at(-1)).toEqual(['SHARE_UNSHARED', 201]);
});
