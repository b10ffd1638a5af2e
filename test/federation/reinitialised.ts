import { expect } from 'vitest';
import type { Person } from '../support/cast.js';
import { Poller } from '../../src/platform/poller.service.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';

/** Three servers; bob is an admin beside alice, and each has shared a file with the group. */
export async function laboratory(...more: readonly string[]) {
  const world = await World.of('a.test', 'b.test', 'c.test', ...more.map((name) => name.split('@')[1]!));
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const people = [alice, bob, charlie, ...(await world.users(...more))] as const;
  const lab = await alice.createGroup('lab', people.slice(1));
  await alice.appoint(lab, bob);
  await world.settle();
  const before = await agree(lab, ...people);
  return { world, people, lab, before, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

/** Only these workers of a server take turns. */
export async function work(world: World, name: string, ...workers: readonly string[]) {
  for (const worker of workers) {
    const turn = world
      .server(name)
      .get(Poller)
      .turns.find((one) => one.name === worker)!;
    while (await turn.turn());
  }
}

export async function successor(lab: string, old: { readonly mlsGroupId: string }, ...people: readonly Person[]) {
  const picture = await agree(lab, ...people);
  expect(picture).toMatchObject({ state: 'active', epoch: 1 });
  expect(picture.mlsGroupId).not.toBe(old.mlsGroupId);
  return picture;
}
