import { expect } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromBase64url } from '../../src/kernel/bytes.js';
import { MlsService } from '../../src/mls/mls.service.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { agree, federationOf } from './agreement.js';

const HOUR = 3_600_000;

/** How many deaths one story has; they are spread evenly over the statements of the work that is interrupted. */
export const DEATHS = 8;

export interface Trial {
  readonly world: World;
  readonly lab: string;
  readonly alice: Person;
  readonly bob: Person;
  readonly charlie: Person;
}

export async function trial(): Promise<Trial> {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  await alice.appoint(lab, bob);
  await world.settle();
  return { world, lab, alice, bob, charlie };
}

/** Appoints Charlie, or ends that role: whichever is possible. */
export async function toggle(by: Person, { lab, charlie }: Trial): Promise<string> {
  const { admins } = await by.sees(lab);
  const { id } = admins.includes(charlie.address) ? await by.dismiss(lab, charlie) : await by.appoint(lab, charlie);
  return id;
}

/** No server ever sent two Commits for one epoch, or one Commit in two versions. Returns how many there were. */
export function oneVersionOfEverything({ world }: Trial, sender: string): number {
  const mls = world.server(sender).get(MlsService);
  const versions = new Map<number, Set<string>>();
  for (const exchange of world.network.sent({ what: 'MLS_COMMIT', from: host(sender) })) {
    const federation = federationOf(exchange);
    const { epoch } = mls.readCommit(fromBase64url(federation['content'] as string));
    versions.set(epoch, (versions.get(epoch) ?? new Set()).add(JSON.stringify(federation)));
  }
  for (const texts of versions.values()) expect(texts.size).toBe(1);
  return versions.size;
}

export async function dieEverywhere(story: Trial, by: Person, victim: string) {
  const { world, lab, alice, bob, charlie } = story;
  const server = world.server(victim);
  server.crash.watch();
  await toggle(by, story);
  await world.settle();
  const statements = server.crash.statements.length;
  expect(statements).toBeGreaterThan(DEATHS);
  let died = 0;
  for (let death = 0; death < DEATHS; death++) {
    const { epoch } = await agree(lab, alice, bob, charlie);
    server.crash.arm(1 + Math.floor((death * statements) / DEATHS), death % 2 === 0 ? 'after' : 'before');
    const asked = await toggle(by, story).catch(() => undefined);
    await world.settle().catch(() => undefined);
    if (!server.isAlive) died += 1;
    await world.restart(victim);
    await world.pass(HOUR);
    const { epoch: after } = await agree(lab, alice, bob, charlie);
    // What was answered with success has happened; what was not may have.
    if (asked) expect(await by.change({ id: asked })).toMatchObject({ state: 'done', epoch: epoch + 1 });
    expect([epoch, epoch + 1]).toContain(after);
  }
  expect(died).toBeGreaterThan(DEATHS / 2);
}
