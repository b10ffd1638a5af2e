import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { ProvisioningService } from '../../src/tokens/provisioning.service.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import type { Opening, Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { shareDeclined } from '../../src/ocm/notification-body.js';
import { post } from '../shares/signed-post.js';
import { Hub } from './hub.js';

const HOUR = 3_600_000;
let world: World;
let [hub, other]: [Hub, Hub] = [] as never;
let [alice, bob]: [Person, Person] = [] as never;
let lab: string;

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  lab = await alice.createGroup('lab', [bob]);
  [hub, other] = [new Hub(world), new Hub(world, 'other.test')];
  for (const one of [hub, other]) await one.pair();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(async () => {
  for (const one of [hub, other]) one.calm();
  for (const share of await open()) await alice.unshare(share);
  await world.settle();
  for (const one of [hub, other]) one.heard.splice(0);
  world.network.exchanges.splice(0);
});

interface Picture {
  readonly id: string;
  readonly state: string;
  readonly servers: readonly object[];
}
interface Wish {
  readonly protocolServers?: readonly string[];
  readonly expiration?: string;
  readonly name?: string;
  readonly encryption?: object;
}
const sharing = ({ name = 'data.tar', ...wish }: Wish = {}) => {
  const resource = { id: 'file-1', type: 'file', name, uri: 'data.tar', permissions: ['read'] };
  const body = { group: lab, sender: 'alice@a.test', resource, protocolServers: [hub.name], ...wish };
  return world.server('a.test').api('POST', '/shares', body);
};
/** Shared, and announced to everybody. */
async function shared(wish: Wish = {}): Promise<{ readonly id: string }> {
  const made = await sharing(wish);
  expect(made).toMatchObject({ status: 201, body: { protocolServers: wish.protocolServers ?? [hub.name] } });
  await world.settle();
  return made.body as { id: string };
}
const announced = (to = 'b.test') =>
  world.network.sent({ to: host(to), what: '/ocm/shares' }).map(({ request }) => {
    return JSON.parse(fromUtf8(request.body!)) as { providerId: string; protocol: { webdav: Record<string, unknown> } };
  });
const providerIds = (action: '/shares' | '/revoke') => hub.bodies(action).map(({ providerId }) => providerId);
const open = async () =>
  ((await world.server('a.test').api('GET', '/shares')).body as { shares: Picture[] }).shares.filter(
    ({ state }) => state === 'open',
  );
const tokenOf = async (who: Person) => ((await who.open('data.tar')) as Opening).access_token;

test('I-001 I-007 I-012 I-017 I-018 a share is provisioned, signed and without any secret, before its notice goes out', async () => {
  await shared();
  const hosts = world.network.exchanges
    .filter(({ what }) => what === '/ocm-ip/shares' || what === '/ocm/shares')
    .map(({ to }) => to);
  // One for each member server, a.test among them, and then the only notice that has a way to go.
  expect(hosts).toEqual(['hub.test', 'hub.test', 'b.test']);
  const [notice] = announced();
  expect(notice!.protocol.webdav['requirements']).toEqual(['must-exchange-token']);
  const { sharedSecret, ...told } = notice!.protocol.webdav;
  expect(sharedSecret).toMatch(/^[\w-]{43}$/);
  const provisioned = hub.bodies('/shares').find(({ providerId }) => providerId === notice!.providerId);
  expect(provisioned).toEqual({ ...notice, protocol: { ...notice!.protocol, webdav: told } });
  const [request] = world.network.sent({ to: host('hub.test'), what: '/ocm-ip/shares' });
  expect(request!.request.headers).toMatchObject({ 'content-type': 'application/json', signature: expect.anything() });
  expect(await hub.record(notice!.providerId)).toBeDefined();
});

test('I-002 I-029 I-034 its tokens name the record and tell nothing of the share, and the protocol server knows it by them', async () => {
  await shared();
  const token = await tokenOf(bob);
  const [notice] = announced();
  const claims = decodeJwt(token);
  expect(claims['client_id']).toBe(notice!.providerId);
  expect(claims).not.toHaveProperty('ocm_ip');
  expect(claims['groups']).toEqual([lab]);
  expect(await hub.server.verify(token)).toMatchObject({ share: { providerId: notice!.providerId } });
});

describe('I-017 there is no share where a protocol server does not store it', () => {
  const nothingLeft = async () => {
    await world.settle();
    expect(await open()).toEqual([]);
    expect(announced()).toEqual([]);
  };

  test.each<[string, { status: number; body?: object | string }, string]>([
    ['it cannot for now', { status: 503 }, 'provisioning.refused'],
    ['it refuses', { status: 400 }, 'provisioning.refused'],
    ['it does not know us', { status: 401 }, 'provisioning.refused'],
    ['it answers 200 and not 201', { status: 200 }, 'provisioning.refused'],
    ['it answers no JSON', { status: 201, body: 'stored' }, 'provisioning.answer-malformed'],
    [
      'it allocates what is no URI',
      { status: 201, body: { protocol: { webdav: { uri: 7 } } } },
      'provisioning.answer-malformed',
    ],
    ['it answers without end', { status: 201, body: { status: 'x'.repeat(300_000) } }, 'peer.answer-too-large'],
  ])('%s', async (_, told, why) => {
    hub.answers = ({ action }) => (action === '/shares' ? told : undefined);
    expect(await sharing()).toMatchObject({
      status: 502,
      body: { code: 'share.not-provisioned', protocolServers: ['hub.test'], why },
    });
    await nothingLeft();
  });

  test('it hangs, and what the other one stored is revoked', async () => {
    world.network.between(host('a.test'), host('hub.test')).loseNextRequest();
    const wish = { protocolServers: ['other.test', 'hub.test'] };
    expect(await sharing(wish)).toMatchObject({ status: 502, body: { why: 'peer.timeout' } });
    await nothingLeft();
    const [stored] = other.bodies('/shares');
    expect(other.bodies('/revoke')).toEqual([{ sender: 'alice@a.test', providerId: stored!['providerId'] }]);
    expect(await other.record(stored!['providerId'] as string)).toBeUndefined();
  });
});

test('I-005 whoever is not paired, or has no Integration API, cannot be named: modes are not mixed', async () => {
  await world.server('a.test').api('POST', '/pairings', { clientId: 'plain', method: 'client_secret_basic' });
  const refused = async (...protocolServers: string[]) => (await sharing({ protocolServers })) as object;
  expect(await refused('hub.test', 'nobody')).toMatchObject({ status: 404, body: { code: 'pairing.unknown' } });
  expect(await refused('hub.test', 'plain')).toMatchObject({ status: 409, body: { code: 'pairing.not-provisioned' } });
  expect(await refused()).toMatchObject({ status: 400 });
  expect(await refused('hub.test', 'hub.test')).toMatchObject({ status: 400 });
  expect(hub.heard).toEqual([]);
});

test('I-003 I-021 I-022 I-023 what it allocates is taken over; permissions and secrets never are', async () => {
  const webdav = { uri: 'https://hub.test/dav/7', permissions: ['read', 'write', 'share'], sharedSecret: 'mine' };
  hub.answers = ({ action }) =>
    action === '/shares'
      ? { status: 201, body: { status: 'stored', protocol: { webdav, ssh: {} }, more: 1 } }
      : undefined;
  await shared();
  const [notice] = announced();
  expect(notice!.protocol.webdav).toMatchObject({ uri: 'https://hub.test/dav/7', permissions: ['read'] });
  expect(notice!.protocol.webdav['sharedSecret']).not.toBe('mine');
  expect((await bob.open('data.tar')) as Opening).toMatchObject({ uri: 'https://hub.test/dav/7' });
});

test('I-018 of an encrypted share the protocol server is told so, like everybody', async () => {
  await shared({ encryption: { cipher: 'AES-256-GCM' } });
  const [notice] = announced();
  const told = hub.bodies('/shares').find(({ providerId }) => providerId === notice!.providerId);
  expect(told!['encryption']).toMatchObject({ scheme: 'ocm-mls' });
  expect(told!['encryption']).toEqual((notice as unknown as { encryption: object }).encryption);
});

test('several protocol servers serve one share, and all are told before anybody hears of it', async () => {
  await shared({ protocolServers: ['other.test', 'hub.test'] });
  const token = await tokenOf(bob);
  for (const one of [hub, other]) expect(await one.server.verify(token)).toMatchObject({ owner: 'alice@a.test' });
});

test('I-020 other rights replace the records under the same providerIds, however long that takes', async () => {
  const share = await shared();
  const before = providerIds('/shares');
  hub.down();
  await alice.changePermissions(share, ['read', 'write']);
  await world.pass(HOUR);
  hub.up();
  await world.pass(HOUR);
  const changed = hub.bodies('/shares').slice(before.length);
  expect(new Set(changed.map(({ providerId }) => providerId))).toEqual(new Set(before));
  expect(changed[0]).toMatchObject({ protocol: { webdav: { permissions: ['read', 'write'] } } });
  expect(await hub.record(announced()[0]!.providerId)).toMatchObject({
    protocol: { webdav: { permissions: ['read', 'write'] } },
  });
});

describe('I-025 I-026 whatever ends is revoked, and waits for nobody', () => {
  test('unshared while the protocol server is down for a day', async () => {
    const share = await shared();
    hub.down();
    await alice.unshare(share);
    await world.settle();
    expect(world.network.sent({ to: host('b.test'), what: 'SHARE_UNSHARED' })).toMatchObject([{ outcome: 201 }]);
    expect(await bob.open('data.tar')).toBe('nothing of that name');
    await world.pass(24 * HOUR);
    expect(await world.server('a.test').get(Metrics).text()).toContain('covey_share_records{state="revoking"} 2');
    expect(providerIds('/revoke')).toEqual([]);
    hub.up();
    await world.pass(HOUR);
    expect(new Set(providerIds('/revoke'))).toEqual(new Set(providerIds('/shares')));
    expect(await hub.record(announced()[0]!.providerId)).toBeUndefined();
    expect(await world.server('a.test').query('SELECT 1 FROM share_record')).toEqual([]);
  });

  test('expired', async () => {
    await shared({ expiration: new Date(world.clock.now().getTime() + HOUR).toISOString() });
    await world.pass(HOUR + 60_000);
    expect(new Set(providerIds('/revoke'))).toEqual(new Set(providerIds('/shares')));
  });

  test('declined by one server, and kept by the other', async () => {
    await shared({ name: 'declined.tar' });
    const [notice] = announced();
    const body = shareDeclined({
      senderDomain: host('b.test'),
      resourceType: 'file',
      shareType: 'federation',
      providerId: notice!.providerId,
    });
    const said = await post(world, { from: 'b.test', to: 'a.test', path: '/notifications', body });
    expect(said).toMatchObject({ status: 201 });
    await world.settle();
    expect(providerIds('/revoke')).toEqual([notice!.providerId]);
  });

  test('a server that lost its last member', async () => {
    await shared();
    const [notice] = announced();
    await alice.remove(lab, bob);
    await world.settle();
    expect(providerIds('/revoke')).toEqual([notice!.providerId]);
    await alice.add(lab, bob);
    await world.settle();
  });

  test('what is there no more is forgotten, too, and a refusal is tried again', async () => {
    const share = await shared();
    let refusals = 0;
    hub.answers = ({ action }) => (action === '/revoke' && refusals++ < 3 ? { status: 500 } : undefined);
    await alice.unshare(share);
    await world.pass(HOUR);
    expect(providerIds('/revoke')).toHaveLength(5);
    expect(await world.server('a.test').query('SELECT 1 FROM share_record')).toEqual([]);
  });
});

test('what was made ready and never announced, since the process died, is revoked after an hour', async () => {
  const [db, provisioning] = [
    world.server('a.test').get(TransactionService),
    world.server('a.test').get(ProvisioningService),
  ];
  const providerId = '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23';
  const notice = { sender: 'alice@a.test', providerId, sharedSecret: 's', protocol: { webdav: { permissions: [] } } };
  await db.run((tx) =>
    provisioning.prepare(tx, {
      providerId,
      shareId: '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a24',
      recipient: host('b.test'),
      protocolServers: ['hub.test'],
      notice,
    }),
  );
  await world.pass(HOUR - 60_000);
  expect(hub.heard).toEqual([]);
  await world.pass(2 * 60_000);
  expect(providerIds('/revoke')).toEqual([providerId]);
});
