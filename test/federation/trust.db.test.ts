import { expect, test } from 'vitest';
import type { ApiAnswer } from '../support/server.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';

const MINUTES = 60_000;

test('a server in quarantine misses nothing: letters wait on both sides, and go on in order when it is released', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, anna, bob, bella] = await world.users('alice@a.test', 'anna@a.test', 'bob@b.test', 'bella@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  const operate = (act: string, why: string) =>
    world.server('a.test').api('POST', `/trust/providers/b.test/${act}`, { why });
  const deliveries = async (on: string, to: string) =>
    (await world.server(on).api('GET', `/deliveries/peers/${to}`)).body as Record<string, unknown>;

  expect(await operate('quarantine', 'odd messages')).toMatchObject({ status: 200, body: { standing: 'held' } });
  const before = world.network.exchanges.length;
  await alice.add(lab, anna);
  await bob.add(lab, bella);
  const shared = await alice.share(lab, 'data.tar');
  await world.pass(30 * MINUTES);
  expect(await alice.sees(lab)).toMatchObject({
    epoch: 2,
    refusedServers: ['b.test'],
    warnings: expect.arrayContaining(['server-refused']) as unknown,
  });
  expect(await bob.sees(lab)).toMatchObject({ epoch: 1, refusedServers: [] });
  // The quarantined one is told to come again, and nothing at all goes to it.
  const since = world.network.exchanges.slice(before);
  expect(since.filter(({ from }) => from === 'a.test')).toEqual([]);
  expect(new Set(since.filter(({ what }) => what === 'MLS_PROPOSAL').map(({ outcome }) => outcome))).toEqual(
    new Set([503]),
  );
  expect(await deliveries('a.test', 'b.test')).toMatchObject({ state: 'withheld', reason: 'quarantined', dead: 0 });
  expect(await deliveries('b.test', 'a.test')).toMatchObject({ state: 'failing', dead: 0 });
  await expect(alice.add(lab, bella)).rejects.toThrow('change.peer-held');

  expect(await operate('release', 'explained')).toMatchObject({ status: 200, body: { standing: 'allowed' } });
  await world.pass(30 * MINUTES);
  expect(await agree(lab, alice, anna, bob)).toMatchObject({ epoch: 2 });
  expect(await deliveries('a.test', 'b.test')).toMatchObject({ state: 'healthy', waiting: 0, dead: 0, refused: 0 });
  expect((await alice.approvals()).map(({ subject }) => subject)).toEqual(['bella@b.test']);
  expect((await bob.receives()).map(({ name }) => name)).toEqual(['data.tar']);
  expect(shared.id).toBeDefined();
});

test('a group does not grow over a server that is refused; what others bring in is followed, told, and given nothing', async () => {
  await using world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob]);
  const rule = { effect: 'deny', pattern: '*.TEST', why: 'nobody else' };
  const denied = (path = '', body = rule) => world.server('a.test').api('POST', `/trust/rules${path}`, body);
  const refuse: () => Promise<ApiAnswer> = () => denied('', { ...rule, pattern: 'c.test' });
  expect(await denied('', { ...rule, pattern: 'c.*' })).toMatchObject({ status: 400 });
  expect(await refuse()).toMatchObject({ status: 204 });

  await expect(alice.add(lab, charlie)).rejects.toThrow('change.peer-refused');
  await bob.add(lab, charlie);
  await world.settle();
  const [approval] = await alice.approvals();
  await expect(alice.approve(approval!)).rejects.toThrow('change.peer-refused');
  expect(await alice.approvals()).toHaveLength(1);
  expect(world.network.sent({ from: 'a.test' as never, to: 'c.test' as never })).toEqual([]);

  // Another admin's server has another policy.
  await alice.appoint(lab, bob);
  await world.settle();
  await bob.add(lab, charlie);
  await world.pass(20 * MINUTES);
  expect(await alice.sees(lab)).toMatchObject({ refusedServers: ['c.test'] });
  expect((await alice.sees(lab)).members.map(({ address }) => address)).toContain('charlie@c.test');
  const audit = String((await world.server('a.test').api('GET', '/audit')).body);
  expect(audit).toContain('"act":"provider.member-refused"');
  const share = await alice.share(lab, 'data.tar');
  await world.pass(20 * MINUTES);
  expect((await alice.shared(share)).servers.map(({ server, state }) => `${server} ${state}`)).toContain('c.test due');
  expect(await charlie.receives()).toEqual([]);
  expect(world.network.sent({ from: 'a.test' as never, to: 'c.test' as never })).toEqual([]);

  expect(await denied('/remove', { ...rule, pattern: 'c.test' })).toMatchObject({ status: 204 });
  await world.pass(3 * 60 * MINUTES);
  expect((await charlie.receives()).map(({ name }) => name)).toEqual(['data.tar']);
  await agree(lab, alice, bob, charlie);
});
