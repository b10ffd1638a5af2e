import { expect, test } from 'vitest';
import { getOwnLeafNode } from 'ts-mls/clientState.js';
import { host } from '../../src/kernel/address.js';
import { toBase64url } from '../../src/kernel/bytes.js';
import { proposeRemove } from '../../src/mls/proposal.js';
import { World } from '../support/world.js';
import { forgeCommit } from '../mls/support/fellows.js';
import { agree, federationOf } from './agreement.js';
import { invitation, labOfThree, notice, stateOn, tell } from './forgery.js';

const [a, b] = [host('a.test'), host('b.test')];

test('mail for a group that is not known yet is to be sent again', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const lab = await alice.createGroup('lab', [bob]);
  const [welcome] = world.network.sent({ what: 'MLS_WELCOME' });
  await world.add('c.test');
  const { mlsGroupId } = await alice.sees(lab);
  await bob.leave(lab);
  await world.settle();
  const [proposal] = world.network.sent({ what: 'MLS_PROPOSAL' });
  const [commit] = world.network.sent({ what: 'MLS_COMMIT' });
  for (const { what, request } of [proposal!, commit!]) {
    const { content } = federationOf({ request });
    const answer = await tell(world, 'b.test', 'c.test', notice(what, 'b.test', { mlsGroupId, content }));
    expect(answer).toMatchObject({ status: 503, code: 'group.unknown' });
  }
  const stray = notice('MLS_WELCOME', 'a.test', federationOf(welcome!));
  expect(await tell(world, 'a.test', 'c.test', stray)).toMatchObject({ status: 422, code: 'client.foreign' });
});

test('R-101 when mlsGroupId is not the group inside, the message is an error and changes nothing', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const other = await alice.createGroup('other', [bob]);
  const elsewhere = (await alice.sees(other)).mlsGroupId;
  world.wire(a, b).cut();
  await alice.appoint(other, bob);
  await world.settle();
  const [commit] = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' }).slice(-1);
  world.wire(a, b).mend();
  const swapped = notice('MLS_COMMIT', 'a.test', { ...federationOf(commit!), mlsGroupId });
  expect(await tell(world, 'a.test', 'b.test', swapped)).toMatchObject({ status: 400, code: 'commit.wrong-group' });
  expect(await bob.sees(other)).toMatchObject({ mlsGroupId: elsewhere, epoch: 1 });
  const { state, suite } = await stateOn(world, 'b.test', elsewhere, bob.address);
  const leave = toBase64url(await proposeRemove(state, state.privatePath.leafIndex, suite));
  const astray = notice('MLS_PROPOSAL', 'b.test', { mlsGroupId, content: leave });
  expect(await tell(world, 'b.test', 'a.test', astray)).toMatchObject({ status: 400, code: 'proposal.wrong-group' });
  const { federation } = (await invitation(world, 'club@c.test', charlie.address, bob.address)).notification;
  const welcome = notice('MLS_WELCOME', 'c.test', { ...federation, mlsGroupId });
  expect(await tell(world, 'c.test', 'b.test', welcome)).toMatchObject({ status: 400, code: 'welcome.wrong-group' });
  await expect(bob.sees('club@c.test')).rejects.toThrow('group.not-found');
  await agree(lab, alice, bob, charlie);
});

test.each([
  ['nothing', {}],
  ['no group', { content: 'AAAA' }],
  ['text that is not base64url', { mlsGroupId: 'AAAA', content: '+/+/' }],
  ['a group id of 300 bytes', { mlsGroupId: toBase64url(new Uint8Array(300)), content: 'AAAA' }],
  ['proposals that are no list', { mlsGroupId: 'AAAA', content: 'AAAA', proposals: 'AAAA' }],
])('a Commit with %s is malformed', async (_what, federation) => {
  await using world = await World.of('a.test', 'b.test');
  const answer = await tell(world, 'b.test', 'a.test', notice('MLS_COMMIT', 'b.test', federation));
  expect(answer).toMatchObject({ status: 400, code: 'body.malformed' });
});

test('bytes that are cut, longer, or not a Commit at all are refused and change nothing', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  world.wire(a, b).cut();
  await alice.appoint(lab, charlie);
  await world.settle();
  const [sent] = world.network.sent({ from: a, to: b, what: 'MLS_COMMIT' }).slice(-1);
  world.wire(a, b).mend();
  const good = Buffer.from(federationOf(sent!)['content'] as string, 'base64url');
  const broken = [
    good.subarray(0, good.length - 1),
    good.subarray(0, 20),
    Buffer.concat([good, Buffer.of(0)]),
    Buffer.from(good).fill(0xff, 4, 40),
    Buffer.alloc(200, 1),
  ];
  for (const content of broken) {
    const answer = await tell(
      world,
      'a.test',
      'b.test',
      notice('MLS_COMMIT', 'a.test', { mlsGroupId, content: toBase64url(content) }),
    );
    expect(answer).toMatchObject({ status: 400 });
  }
  const flipped = Buffer.from(good);
  flipped[good.length - 40]! ^= 1;
  const altered = notice('MLS_COMMIT', 'a.test', { mlsGroupId, content: toBase64url(flipped) });
  expect((await tell(world, 'a.test', 'b.test', altered)).status).toBe(403);
  expect(await bob.sees(lab)).toMatchObject({ epoch: 1 });
  await world.pass(3_600_000);
  await agree(lab, alice, bob, charlie);
});

test('R-055 the owner takes Commits only from the home servers of admins', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  world.wire(b, a).cut();
  await bob.remove(lab, charlie);
  await world.settle();
  const [submitted] = world.network.sent({ from: b, to: a, what: 'MLS_COMMIT' }).slice(-1);
  // Charlie's server hands in what Bob's has made.
  const stolen = notice('MLS_COMMIT', 'c.test', { ...federationOf(submitted!), mlsGroupId });
  expect(await tell(world, 'c.test', 'a.test', stolen)).toMatchObject({ status: 403, code: 'commit.not-from-home' });
  expect(await alice.sees(lab)).toMatchObject({ epoch: 2 });
  world.wire(b, a).mend();
  await world.pass(3_600_000);
  await agree(lab, alice, bob);
});

test('R-015 a member server follows nobody but the owner server', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  world.wire(b, a).cut();
  await bob.appoint(lab, charlie);
  await world.settle();
  const [submitted] = world.network.sent({ from: b, to: a, what: 'MLS_COMMIT' }).slice(-1);
  const own = notice('MLS_COMMIT', 'b.test', { ...federationOf(submitted!), mlsGroupId });
  expect(await tell(world, 'b.test', 'c.test', own)).toMatchObject({ status: 403, code: 'commit.not-from-owner' });
  expect(await charlie.sees(lab)).toMatchObject({ epoch: 2 });
});

test('a Commit of an epoch that has passed is stale, and the answer names the current one', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  world.wire(b, a).cut();
  await bob.appoint(lab, charlie);
  await world.settle();
  const [lost] = world.network.sent({ from: b, to: a, what: 'MLS_COMMIT' }).slice(-1);
  await alice.dismiss(lab, bob);
  await world.settle();
  const late = notice('MLS_COMMIT', 'b.test', { ...federationOf(lost!), mlsGroupId });
  world.wire(b, a).mend();
  expect(await tell(world, 'b.test', 'a.test', late)).toMatchObject({ status: 409, code: 'commit.stale', epoch: 3 });
});

test('R-109 D-16 an address belongs to the first group that bound it, and its own server to nobody else', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const { mlsGroupId } = await alice.sees(lab);
  // Charlie's server makes groups under addresses of Alice's, and invites with them.
  const taken = await invitation(world, 'lab@a.test', charlie.address, bob.address);
  expect(await tell(world, 'c.test', 'b.test', taken)).toMatchObject({ status: 409, code: 'welcome.address-bound' });
  expect(await agree(lab, alice, bob, charlie)).toMatchObject({ mlsGroupId });
  const made = await invitation(world, 'club@a.test', charlie.address, alice.address);
  expect(await tell(world, 'c.test', 'a.test', made)).toMatchObject({
    status: 403,
    code: 'welcome.address-not-minted',
  });
  // A refusal leaves nothing behind: the same KeyPackage would still open a Welcome.
  await expect(alice.sees('club@a.test')).rejects.toThrow('group.not-found');
});

test('a Welcome is taken from the server of an admin only', async () => {
  const { world, bob, charlie } = await labOfThree();
  await using _ = world;
  const club = await invitation(world, 'club@c.test', charlie.address, bob.address);
  const passedOn = { ...club, senderDomain: 'a.test' };
  expect(await tell(world, 'a.test', 'b.test', passedOn)).toMatchObject({
    status: 403,
    code: 'welcome.not-from-admin',
  });
  expect(await tell(world, 'c.test', 'b.test', club)).toMatchObject({ status: 201 });
  expect(await bob.members('club@c.test')).toEqual(['bob@b.test', 'charlie@c.test']);
});

test('a Welcome opens only for the user whose KeyPackage it was made for, and comes twice without harm', async () => {
  const { world, bob, charlie } = await labOfThree();
  await using _ = world;
  const [bella] = await world.users('bella@b.test');
  const club = await invitation(world, 'club@c.test', charlie.address, bob.address);
  const forBella = notice('MLS_WELCOME', 'c.test', { ...club.notification.federation, userId: bella.address });
  expect(await tell(world, 'c.test', 'b.test', forBella)).toMatchObject({ status: 403, code: 'welcome.wrong-user' });
  expect(await tell(world, 'c.test', 'b.test', club)).toMatchObject({ status: 201 });
  expect(await tell(world, 'c.test', 'b.test', club)).toMatchObject({ status: 201 });
  await bob.leave('club@c.test').catch(() => undefined);
  expect(await bella.sees('club@c.test')).toMatchObject({ epoch: 1, members: [{}, {}] });
});

test('R-057 a Commit of somebody who is no admin is refused, even when the owner server broadcasts it', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const [anna] = await world.users('anna@a.test');
  await alice.add(lab, anna);
  await world.settle();
  const { epoch } = await agree(lab, alice, anna, bob, charlie);
  const { state, suite } = await stateOn(world, 'a.test', mlsGroupId, anna.address);
  const commit = await forgeCommit(state, { path: getOwnLeafNode(state) }, suite);
  const told = notice('MLS_COMMIT', 'a.test', { mlsGroupId, content: toBase64url(commit) });
  for (const member of ['b.test', 'c.test']) {
    expect(await tell(world, 'a.test', member, told)).toMatchObject({ status: 403, code: 'commit.not-admin' });
  }
  expect(await agree(lab, alice, anna, bob, charlie)).toMatchObject({ epoch });
});
