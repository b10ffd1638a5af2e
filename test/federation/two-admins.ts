import { UpkeepWorker } from '../../src/groups/upkeep.worker.js';
import { type Customs, World } from '../support/world.js';

/** A day and a half is the takeover time; leaves are renewed a little more often, so that they do not do it here. */
export const hours = (takeover: number) => ({
  COVEY_UPDATE_INTERVAL: String((takeover - 2) * 3600),
  COVEY_UPDATE_DEADLINE: String((takeover - 1) * 3600),
  COVEY_TAKEOVER_TIME: String(takeover * 3600),
});

/** No leaf is renewed in these stories: its epochs would come between those that are told of. */
export const UNTOUCHED: Customs = {
  booted: (server) => {
    server.get(UpkeepWorker).turn = () => Promise.resolve(false);
  },
};

/** The wire between two servers, in both directions. */
export const between = (world: World, one: string, other: string) => ({
  cut: () => [world.wire(one, other).cut(), world.wire(other, one).cut()],
  mend: () => [world.wire(one, other).mend(), world.wire(other, one).mend()],
});

/** All at once, and not hour by hour: nobody is there whose tries in vain would matter. */
export async function later(world: World, after: number): Promise<void> {
  world.clock.advanceHours(after);
  await world.settle();
}

export async function labOfTwoAdmins(late = hours(36)) {
  const usual = hours(36);
  const world = await World.with({ 'a.test': usual, 'b.test': usual, 'c.test': late, 'd.test': usual }, UNTOUCHED);
  const [alice, bob, charlie, cecil, dave] = await world.users(
    'alice@a.test',
    'bob@b.test',
    'charlie@c.test',
    'cecil@c.test',
    'dave@d.test',
  );
  const lab = await alice.createGroup('lab', [bob, charlie, dave]);
  await alice.appoint(lab, bob);
  await world.settle();
  return { world, lab, alice, bob, charlie, cecil, dave };
}
