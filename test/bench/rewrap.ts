import { createApplicationMessage } from 'ts-mls';
import { newFileKey } from '../../src/content/file-key.js';
import { ocmAddress } from '../../src/kernel/address.js';
import { Clock } from '../../src/kernel/clock.js';
import { Dice } from '../../src/kernel/dice.js';
import { ApplicationsService } from '../../src/mls/applications.service.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { keyMessages } from '../../src/shares/application-data.js';
import { encryptionOf, EncryptedResourceRepository } from '../../src/shares/encrypted-resource.repository.js';
import { ShareRepository } from '../../src/shares/share.repository.js';
import { wrapFileKey } from '../../src/shares/wrapped-key.js';
import { stateOn } from '../federation/forgery.js';
import type { Person } from '../support/cast.js';
import type { TestServer } from '../support/server.js';
import { World } from '../support/world.js';
import { elapsed, median } from './measure.js';

export interface Rewrap {
  readonly resources: number;
  readonly servers: number;
  /** Of the sending server: from the epoch until all letters are in the database; the median over epochs. */
  readonly rewrapMs: number;
  /** The wraps and the sealed messages alone, with the bare libraries and nothing stored. */
  readonly floorMs: number;
  readonly ratio: number;
  readonly messages: number;
  readonly wireMiB: number;
  /** From there until every member server holds every key, all servers in one process. */
  readonly deliveryMs: number;
  readonly rssMiB: number;
}

const ROUNDS = 3;

/** All file keys of a group go out under a new Group Key: `resources` of them to so many other servers. */
export async function benchRewrap(resources: number, servers: number): Promise<Rewrap> {
  const others = Array.from({ length: servers }, (_, at) => `s${at}.test`);
  await using world = await World.of('owner.test', ...others);
  const people: readonly Person[] = await world.users(
    'alice@owner.test',
    ...others.map((name) => `user@${name}` as const),
  );
  const [alice, ...members] = people as [Person, ...Person[]];
  const group = await alice.createGroup('lab', members);
  await world.settle();
  const owner = world.server('owner.test');
  await shareMany(owner, group, alice.address, resources, ['owner.test', ...others]);
  const { mlsGroupId } = await alice.sees(group);
  const [times, floors, deliveries]: [number[], number[], number[]] = [[], [], []];
  let [messages, wireBytes] = [0, 0];
  for (let round = 0; round <= ROUNDS; round++) {
    await alice.appoint(group, members[round]!);
    const turn = (name: string) => owner.turns.find((one) => one.name === name)!;
    for (const one of owner.turns.filter(({ name }) => name.startsWith('groups.'))) while (await one.turn());
    const rewrap = turn('shares.rewrap');
    const rewrapMs = await elapsed(async () => {
      while (await rewrap.turn());
    });
    const floorMs = await floor(world, mlsGroupId, alice, resources);
    const before = world.network.exchanges.length;
    const deliveryMs = await elapsed(() => world.settle());
    const sent = world.network.exchanges.slice(before).filter(({ what }) => what === 'MLS_APPLICATION');
    if (round === 0) continue;
    times.push(rewrapMs);
    floors.push(floorMs);
    deliveries.push(deliveryMs);
    messages = sent.length;
    wireBytes = sent.reduce((sum, { request }) => sum + (request.body?.length ?? 0), 0);
  }
  const { epoch } = await alice.sees(group);
  for (const name of others) {
    const [held] = await world
      .server(name)
      .query<{ count: number }>('SELECT count(*)::integer AS count FROM wrapped_key WHERE epoch = $1', [epoch]);
    if (held?.count !== resources) throw new Error(`${name} holds ${held?.count} keys of epoch ${epoch}`);
  }
  const [rewrapMs, floorMs, deliveryMs] = [median(times), median(floors), median(deliveries)];
  const [wireMiB, rssMiB] = [wireBytes / 2 ** 20, process.memoryUsage.rss() / 2 ** 20];
  return { resources, servers, rewrapMs, floorMs, ratio: rewrapMs / floorMs, messages, wireMiB, deliveryMs, rssMiB };
}

/** As if every server had been told of every share long ago. */
async function shareMany(owner: TestServer, group: string, sender: string, count: number, servers: string[]) {
  const [dice, clock] = [owner.get<Dice>(Dice), owner.get<Clock>(Clock)];
  const [keys, shares] = [owner.get(EncryptedResourceRepository), owner.get(ShareRepository)];
  await owner.get(TransactionService).run(async (tx) => {
    const at = clock.now();
    for (let number = 0; number < count; number++) {
      const resource = {
        resourceId: dice.uuid(),
        efssId: `file-${number}`,
        cipher: 'AES-256-GCM' as const,
        version: 1,
        madeAt: at,
        keyedAt: at,
      };
      await keys.add(tx, resource, newFileKey(resource.cipher, dice));
      await shares.add(tx, {
        shareId: dice.uuid(),
        group: ocmAddress(group),
        sender: ocmAddress(sender),
        owner: ocmAddress(sender),
        resource: { id: resource.efssId, type: 'file', name: resource.efssId, uri: 'x', permissions: ['read'] },
        encryption: encryptionOf(resource),
        createdAt: at,
        state: 'open',
      });
    }
    await tx.query(
      `INSERT INTO share_server (share_id, server, state, provider_id, tries, since)
       SELECT share_id, name, 'accepted', share_id || ' ' || name, 0, now() FROM share, unnest($1::text[]) AS name`,
      [servers],
    );
  });
}

/** The same cryptography and nothing else. */
async function floor(world: World, mlsGroupId: string, alice: Person, resources: number): Promise<number> {
  const { state, suite } = await stateOn(world, 'owner.test', mlsGroupId, alice.address);
  const owner = world.server('owner.test');
  const dice = owner.get<Dice>(Dice);
  const applications = owner.get(ApplicationsService);
  const wrapping = await owner.get(TransactionService).run((tx) => applications.wrapping(tx, mlsGroupId as MlsGroupId));
  const ids = Array.from({ length: resources }, () => dice.uuid());
  const key = dice.bytes(32);
  return elapsed(async () => {
    const wrapped = ids.map((resourceId) => ({ resourceId, wrappedKey: wrapFileKey(wrapping, resourceId, key, dice) }));
    let now = state;
    for (const message of keyMessages(wrapping.label, wrapped)) {
      now = (await createApplicationMessage(now, message, suite)).newState;
    }
  });
}
