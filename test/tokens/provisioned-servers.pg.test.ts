import { expect, test, vi } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { PreparingService } from '../../src/shares/preparing.service.js';
import { ProvisioningService } from '../../src/tokens/provisioning.service.js';
import type { Opening } from '../support/cast.js';
import { lose } from '../federation/forgery.js';
import { World } from '../support/world.js';
import { Hub } from './hub.js';

const MINUTE = 60_000;

/** Alice shares what is provisioned with Bob's server; Carol's is in no group yet. */
async function provisioned() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, carol] = await world.users('alice@a.test', 'bob@b.test', 'carol@c.test');
  const lab = await alice.createGroup('lab', [bob]);
  const hub = new Hub(world);
  await hub.pair();
  const resource = { id: 'file-1', type: 'file', name: 'data.tar', uri: 'data.tar', permissions: ['read'] };
  const body = { group: lab, sender: 'alice@a.test', resource, protocolServers: [hub.name] };
  expect(await world.server('a.test').api('POST', '/shares', body)).toMatchObject({ status: 201 });
  await world.settle();
  return { world, alice, bob, carol, lab, hub };
}
const announced = (world: World, to: string) =>
  world.network
    .sent({ to: host(to), what: '/ocm/shares' })
    .map(({ request }) => (JSON.parse(fromUtf8(request.body!)) as { providerId: string }).providerId);
const revoked = (hub: Hub) => hub.bodies('/revoke').map(({ providerId }) => providerId);

test('I-017 a server that joins later is told when the protocol server has stored its share', async () => {
  const { world, alice, carol, lab, hub } = await provisioned();
  await using _ = world;
  hub.down();
  await alice.add(lab, carol);
  await world.pass(MINUTE);
  expect(announced(world, 'c.test')).toEqual([]);
  const { body } = await world.server('a.test').api('GET', '/shares');
  expect(body).toMatchObject({
    shares: [
      {
        servers: expect.arrayContaining([
          expect.objectContaining({ server: 'c.test', state: 'due', why: 'peer.unreachable' }),
        ]),
      },
    ],
  });
  hub.up();
  await world.pass(60 * MINUTE);
  const [providerId] = announced(world, 'c.test');
  expect(await hub.record(providerId!)).toBeDefined();
  const { access_token: token } = (await carol.open('data.tar')) as Opening;
  expect(await hub.server.verify(token)).toMatchObject({ owner: 'alice@a.test' });
});

test('I-017 what a protocol server was told to forget, between its answer and the notice, is provisioned anew', async () => {
  const { world, alice, carol, lab, hub } = await provisioned();
  await using _ = world;
  const a = world.server('a.test');
  const preparing = a.get<PreparingService>(PreparingService);
  let forgotten: string | undefined;
  const prepare = vi.spyOn(preparing, 'prepare').mockImplementation(async (server, share) => {
    const judgement = await PreparingService.prototype.prepare.call(preparing, server, share);
    if (forgotten === undefined && judgement.kind === 'send') {
      forgotten = judgement.provisionedAs;
      const which = { shareId: share.shareId, recipient: server };
      await a.get<TransactionService>(TransactionService).run((tx) => {
        return a.get<ProvisioningService>(ProvisioningService).revoke(tx, which);
      });
    }
    return judgement;
  });
  await alice.add(lab, carol);
  await world.settle();
  prepare.mockRestore();
  expect(forgotten).toBeDefined();
  expect(announced(world, 'c.test')).toEqual([]);
  await world.pass(MINUTE);
  const [providerId] = announced(world, 'c.test');
  expect(providerId).not.toBe(forgotten);
  expect(revoked(hub)).toEqual([forgotten]);
  expect(await hub.record(providerId!)).toBeDefined();
});

test('I-025 what was made ready for a server that left before it was told is revoked at once', async () => {
  const { world, alice, carol, lab, hub } = await provisioned();
  await using _ = world;
  const before = hub.bodies('/shares').length;
  hub.answers = ({ action }) => (action === '/shares' ? { status: 503 } : undefined);
  await alice.add(lab, carol);
  await world.settle();
  const [tried] = hub.bodies('/shares').slice(before);
  expect(announced(world, 'c.test')).toEqual([]);
  await alice.remove(lab, carol);
  await world.settle();
  expect(revoked(hub)).toEqual([tried!['providerId']]);
});

test('I-025 a server that lost its groups is told anew, and what it knew the share by before is revoked', async () => {
  const { world, alice, bob, lab, hub } = await provisioned();
  await using _ = world;
  const [first] = announced(world, 'b.test');
  await lose(world, 'b.test', (await alice.sees(lab)).mlsGroupId);
  await world.pass(30 * MINUTE);
  expect(await bob.sees(lab)).toMatchObject({ state: 'active' });
  const again = announced(world, 'b.test').at(-1)!;
  expect(again).not.toBe(first);
  expect(revoked(hub)).toEqual([first]);
  expect(await hub.record(again)).toBeDefined();
});
