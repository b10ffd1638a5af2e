import { expect, test } from 'vitest';
import type { World } from '../support/world.js';
import { agree } from './agreement.js';
import { between, labOfTwoAdmins, later } from './two-admins.js';

const HOUR = 3_600_000;

/** In which epochs and histories the keys that a server holds were wrapped. */
const wrappedOn = (world: World, name: string) =>
  world
    .server(name)
    .query<{ epoch: string; history: number }>('SELECT DISTINCT epoch, history FROM wrapped_key ORDER BY 1, 2');

test("R-093 R-178 A-29 a failover that is taken back drops the losing branch's keys, and those of the other are taken though their epochs are no later", async () => {
  const { world, lab, alice, bob, charlie, cecil, dave } = await labOfTwoAdmins();
  await using _ = world;
  const before = await bob.shareEncrypted(lab, 'before.bin');
  await world.settle();
  const wires = ['b.test', 'c.test', 'd.test'].map((other) => between(world, 'a.test', other));
  for (const wire of wires) wire.cut();
  await later(world, 36);
  await bob.add(lab, cecil);
  await later(world, 0.2);
  const within = await bob.shareEncrypted(lab, 'within.bin');
  await world.settle();
  expect(await bob.sees(lab)).toMatchObject({ epoch: 4, ownerServer: 'b.test' });
  const keys = [await bob.keyOfShared(before), await bob.keyOfShared(within)];
  const opened = (who: typeof charlie) => Promise.all([who.fileKey('before.bin'), who.fileKey('within.bin')]);
  expect(await opened(charlie)).toEqual(keys);
  expect(await wrappedOn(world, 'c.test')).toEqual([{ epoch: '4', history: 0 }]);

  // Charlie's server hears of the owner's Commit and of nothing that Bob's server says after that.
  const [toCharlie] = [between(world, 'b.test', 'c.test')];
  toCharlie.cut();
  world.wire('b.test', 'a.test').loseNextRequest('MLS_COMMIT').loseNextRequest('MLS_COMMIT');
  for (const wire of wires) wire.mend();
  await alice.appoint(lab, charlie);
  await later(world, 0.5);
  expect(await charlie.sees(lab)).toMatchObject({ ownerServer: 'a.test' });
  expect(await opened(charlie)).toEqual(['share.key-superseded', 'share.key-superseded']);
  expect(await opened(cecil)).not.toEqual(keys);
  expect(await wrappedOn(world, 'c.test')).toEqual([{ epoch: '4', history: 0 }]);

  toCharlie.mend();
  await world.pass(2 * HOUR);
  const { epoch } = await agree(lab, alice, bob, charlie, cecil, dave);
  expect(await wrappedOn(world, 'c.test')).toEqual([{ epoch: String(epoch), history: 1 }]);
  for (const who of [alice, charlie, cecil, dave]) expect(await opened(who)).toEqual(keys);
});
