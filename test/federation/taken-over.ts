import { World } from '../support/world.js';
import { between, hours, labOfTwoAdmins, later } from './two-admins.js';

const HOUR = 3_600_000;

export const held = async (world: World, name: string) => [
  ...(await world.server(name).query('SELECT epoch FROM held_epoch')),
  ...(await world.server(name).query('SELECT epoch FROM held_state')),
];
export const log = (world: World, name: string, epoch: number) =>
  world
    .server(name)
    .query<{ digest: string; arbiter: string }>('SELECT digest, arbiter FROM commit_log WHERE epoch = $1', [epoch]);

/** Bob's server took over from Alice's, and let Dora in. Alice's comes back before it has heard of that. */
export async function labTakenOver() {
  const lab = await labOfTwoAdmins();
  const { world, alice, bob, charlie } = lab;
  await world.add('e.test', hours(36));
  const [dora] = await world.users('dora@e.test');
  const cut = ['b.test', 'c.test', 'd.test', 'e.test'].map((other) => between(world, 'a.test', other));
  for (const wire of cut) wire.cut();
  await later(world, 36);
  await bob.add(lab.lab, dora);
  await later(world, 0.2);
  const ownerComesBack = async () => {
    world.wire('b.test', 'a.test').loseNextRequest('MLS_COMMIT').loseNextRequest('MLS_COMMIT');
    for (const wire of cut) wire.mend();
    await alice.appoint(lab.lab, charlie);
    await world.pass(3 * HOUR);
  };
  return { ...lab, dora, ownerComesBack };
}
