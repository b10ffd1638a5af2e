import { expect, test } from 'vitest';
import { audited } from '../federation/audited.js';
import { World } from '../support/world.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;

interface Keys {
  readonly keys: readonly { readonly kid: string; readonly kind: string; readonly state: string }[];
}

async function cluster() {
  const world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  const server = world.server('a.test');
  const states = async (kind: string) =>
    ((await server.api('GET', '/keys')).body as Keys).keys.filter((key) => key.kind === kind).map(({ state }) => state);
  const rotate = (kind: string, how: string) => server.api('POST', `/keys/${kind}/rotate`, { how });
  /** The world moves on, and keys are looked after each minute. */
  const pass = async (hours: number) => {
    await world.pass(hours * HOUR);
    world.clock.advance(MINUTE);
    await world.settle();
  };
  return { world, lab, alice, bob, states, rotate, pass };
}

test('D-23 a key that is rotated is published before it signs, and the one before as long as what it signed is valid', async () => {
  const { world, lab, alice, bob, states, rotate, pass } = await cluster();
  await using _ = world;
  // Of keys of one moment none is the newer one.
  world.clock.advance(1_000);
  expect(await rotate('http', 'with-overlap')).toMatchObject({ status: 200 });
  expect(await rotate('http', 'with-overlap')).toMatchObject({ status: 409, body: { code: 'key.rotating' } });
  expect(await states('http')).toEqual(['next', 'current']);
  const used = () =>
    /keyid="([^"]+)"/.exec(
      world.network.sent({ from: alice.address.split('@')[1]! as never }).at(-1)!.request.headers['signature-input']!,
    )![1];
  await alice.share(lab, 'one.txt');
  await world.settle();
  const before = used();
  await pass(7);
  expect(await states('http')).toEqual(['current', 'retired']);
  await alice.share(lab, 'two.txt');
  await world.settle();
  expect(used()).not.toBe(before);
  expect(await bob.open('two.txt')).toHaveProperty('access_token');
  await pass(26);
  expect(await states('http')).toEqual(['current']);
  const acts = (await audited(world, 'a.test')).map(({ act }) => act);
  expect(acts).toEqual(expect.arrayContaining(['key.made', 'key.took-over']));
});

test('a key that others have got hold of is worth nothing at once', async () => {
  const { world, lab, alice, bob, states, rotate, pass } = await cluster();
  await using _ = world;
  await alice.share(lab, 'one.txt');
  await world.settle();
  expect(await rotate('token', 'at-once')).toMatchObject({ status: 200 });
  expect(await rotate('http', 'at-once')).toMatchObject({ status: 200 });
  expect([await states('http'), await states('token')]).toEqual([['current'], ['current']]);
  await alice.share(lab, 'two.txt');
  await pass(1);
  expect(await bob.open('two.txt')).toHaveProperty('access_token');
});

test('what is no kind of key, and no way to rotate one, is refused', async () => {
  const { world, rotate } = await cluster();
  await using _ = world;
  expect(await rotate('door', 'at-once')).toMatchObject({ status: 400 });
  expect(await rotate('http', 'slowly')).toMatchObject({ status: 400 });
});
