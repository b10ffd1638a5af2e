import { World } from '../support/world.js';

export async function lab() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const group = await alice.createGroup('lab', [bob]);
  await world.settle();
  return { world, group, alice, bob, charlie };
}

/** What `server` holds: the epochs in which its wrapped keys were wrapped. */
export const wrappedIn = async (world: World, server: string) =>
  (
    await world
      .server(server)
      .query<{ epoch: number }>('SELECT epoch::integer AS epoch FROM wrapped_key ORDER BY resource_id')
  ).map(({ epoch }) => epoch);
