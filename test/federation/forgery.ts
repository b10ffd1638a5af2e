import { DriftService } from '../../src/groups/drift.service.js';
import { GroupRepository } from '../../src/groups/group.repository.js';
import { host, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import { toBase64url, utf8 } from '../../src/kernel/bytes.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { KeyPackageClient } from '../../src/mls/key-package.client.js';
import { stateOf } from '../../src/mls/local-group.js';
import { LocalGroupsService } from '../../src/mls/local-groups.service.js';
import { MlsService } from '../../src/mls/mls.service.js';
import type { Suite } from '../../src/mls/suite.js';
import { SUITE } from '../../src/mls/suite.provider.js';
import { PeerClient } from '../../src/ocm/peer.client.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { World } from '../support/world.js';

export async function labOfThree() {
  const world = await World.of('a.test', 'b.test', 'c.test');
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const lab = await alice.createGroup('lab', [bob, charlie]);
  const { mlsGroupId } = await alice.sees(lab);
  return { world, lab, mlsGroupId, alice, bob, charlie };
}

/** A notification that `from` signs, whatever it says. */
export async function tell(world: Pick<World, 'server'>, from: string, to: string, body: object) {
  const answer = await world
    .server(from)
    .get(PeerClient)
    .post(host(to), '/notifications', utf8(JSON.stringify(body)));
  return { status: answer.status, ...(JSON.parse(Buffer.from(answer.body).toString()) as object) };
}

export const notice = (notificationType: string, senderDomain: string, federation: object) => ({
  notificationType,
  senderDomain,
  shareType: 'federation',
  notification: { federation },
});

/** The MLS state that a server holds for a user, to do with it what the service never would. */
export async function stateOn(world: Pick<World, 'server'>, on: string, mlsGroupId: string, user: OcmAddress) {
  const server = world.server(on);
  const [db, groups] = [server.get(TransactionService), server.get(LocalGroupsService)];
  const group = await db.run((tx) => groups.lock(tx, mlsGroupId as MlsGroupId));
  return { state: stateOf(group, user), suite: server.get<Suite>(SUITE) };
}

/** A Welcome to a group of that address, made by a server that asks nobody whether it may. */
export async function invitation(world: World, group: string, creator: string, invited: string) {
  const server = world.server(creator.split('@')[1]!);
  const [mls, db] = [server.get(MlsService), server.get(TransactionService)];
  const add = [
    { address: ocmAddress(invited), keyPackage: await server.get(KeyPackageClient).fetch(ocmAddress(invited)) },
  ];
  const { mlsGroupId, content } = await db.run(async (tx) => {
    const made = await mls.createGroup(tx, { address: ocmAddress(group), creator: ocmAddress(creator) });
    const wish = { mlsGroupId: made.mlsGroupId, committer: ocmAddress(creator), add, remove: [] };
    const { welcome } = await mls.buildCommit(tx, wish);
    return { mlsGroupId: made.mlsGroupId, content: toBase64url(welcome!) };
  });
  return notice('MLS_WELCOME', server.host, { mlsGroupId, userId: invited, content });
}

/** The server finds out that its state is worth nothing. */
export async function lose(world: World, name: string, mlsGroupId: string) {
  const server = world.server(name);
  await server.get(TransactionService).run(async (tx) => {
    const group = await server.get(GroupRepository).lock(tx, mlsGroupId as MlsGroupId);
    await server.get(DriftService).begin(tx, group!, 'commits-missing');
  });
}
