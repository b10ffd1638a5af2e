import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestClock } from '../support/clock.js';
import { address, ShareHouse } from './share-house.js';

const [ALICE, BOB, CAROL] = ['alice@a.test', 'bob@b.test', 'carol@c.test'];
const LAB = 'lab@a.test';
let [a, b, c]: ShareHouse[] = [];

beforeEach(async () => {
  const [neighbours, clock] = [new Map<string, ShareHouse>(), new TestClock()];
  for (const name of ['a.test', 'b.test', 'c.test']) await ShareHouse.open(name, neighbours, clock);
  [a, b, c] = [...neighbours.values()];
});
afterEach(async () => {
  for (const house of [a, b, c]) await house![Symbol.asyncDispose]();
});

/** The Commit reaches the servers that are given; then everybody does what follows from it. */
async function commit(at: number, members: string[], ...houses: ShareHouse[]): Promise<void> {
  for (const house of houses) await house.commit(LAB, at, ...members);
  for (const house of [a!, b!, c!]) await house.settle();
}
const statesOf = async (shareId: string) =>
  Object.fromEntries((await a!.sending.get(shareId)).servers.map((row) => [row.server, row.state]));
const openOn = async (house: ShareHouse, user: string) => {
  const [share] = await house.openings.visibleTo(address(user));
  return house.openings.open(share!.id);
};

test('R-173 a server that is new to the group is told of every share that was there before', async () => {
  await commit(1, [ALICE, BOB], a!, b!);
  for (let count = 0; count < 3; count++) await a!.share();
  await a!.settle();
  expect(await c!.visible(CAROL)).toEqual([]);
  await commit(2, [ALICE, BOB, CAROL], a!, b!, c!);
  expect(await c!.visible(CAROL)).toHaveLength(3);
  expect(await b!.visible(BOB)).toHaveLength(3);
});

test('R-201 a server without members is told so, its secret dies and the others keep theirs', async () => {
  await commit(1, [ALICE, BOB, CAROL], a!, b!, c!);
  const { shareId } = (await a!.share()).share;
  await a!.settle();
  const { id } = (await c!.openings.visibleTo(address(CAROL)))[0]!;
  expect((await openOn(c!, CAROL)).expiresIn).toBe(300);
  // The Commit that removes carol reaches her own server last.
  await commit(2, [ALICE, BOB], a!, b!);
  expect(await c!.visible(CAROL)).toEqual([]);
  await expect(c!.openings.open(id)).rejects.toMatchObject({ code: 'share.unknown' });
  expect(await statesOf(shareId)).toEqual({ 'a.test': 'accepted', 'b.test': 'accepted', 'c.test': 'ended' });
  expect((await openOn(b!, BOB)).expiresIn).toBe(300);
});

test('R-201 the secret is dead even where the server does not listen', async () => {
  await commit(1, [ALICE, CAROL], a!, c!);
  await a!.share();
  await a!.settle();
  const { id } = (await c!.openings.visibleTo(address(CAROL)))[0]!;
  await a!.commit(LAB, 2, ALICE);
  await expect(c!.openings.open(id)).rejects.toMatchObject({
    code: 'share.token-refused',
    facts: { answered: 400, error: 'invalid_grant' },
  });
});

test('R-200 a member is shut out on its own server by the Commit alone', async () => {
  await commit(1, [ALICE, BOB, 'ben@b.test'], a!, b!);
  await a!.share();
  await a!.settle();
  await b!.commit(LAB, 2, ALICE, BOB);
  expect(await b!.visible('ben@b.test')).toEqual([]);
  expect([a!.letters, b!.letters]).toEqual([[], []]);
});

test('R-161 a server that leaves and comes back is told anew, under another providerId', async () => {
  await commit(1, [ALICE, BOB], a!, b!);
  await a!.share();
  await a!.settle();
  const [before] = await b!.openings.visibleTo(address(BOB));
  await commit(2, [ALICE], a!, b!);
  expect(await b!.visible(BOB)).toEqual([]);
  await commit(3, [ALICE, BOB], a!, b!);
  const [after, ...more] = await b!.openings.visibleTo(address(BOB));
  expect(more).toEqual([]);
  expect(after!.providerId).not.toBe(before!.providerId);
  expect((await openOn(b!, BOB)).expiresIn).toBe(300);
});

test('several Commits that passed while nobody looked are seen as one', async () => {
  await commit(1, [ALICE, BOB], a!, b!);
  const { shareId } = (await a!.share()).share;
  await a!.settle();
  await a!.commit(LAB, 2, ALICE);
  await a!.commit(LAB, 3, ALICE, CAROL);
  await a!.commit(LAB, 4, ALICE, CAROL, BOB);
  await c!.commit(LAB, 4, ALICE, CAROL, BOB);
  await commit(5, [ALICE, CAROL, BOB], a!, b!, c!);
  expect(await statesOf(shareId)).toEqual({ 'a.test': 'accepted', 'b.test': 'accepted', 'c.test': 'accepted' });
  expect(await b!.visible(BOB)).toHaveLength(1);
});

test('with its sender a share ends for everybody, even when other users of the server stay', async () => {
  await commit(1, [ALICE, 'al@a.test', BOB], a!, b!);
  const { shareId } = (await a!.share()).share;
  await a!.settle();
  await commit(2, ['al@a.test', BOB], a!, b!);
  expect((await a!.sending.get(shareId)).share).toMatchObject({ state: 'ended', reason: 'sender-left' });
  expect([await b!.visible(BOB), await a!.visible('al@a.test')]).toEqual([[], []]);
});

test('with its sender also a notice goes that is not answered yet: nobody takes it any more, and the end does not wait behind it', async () => {
  await commit(1, [ALICE, 'al@a.test', BOB], a!, b!);
  await a!.share();
  await a!.work();
  expect(a!.letters.map(({ to, kind }) => [to, kind])).toEqual([['b.test', 'share']]);
  await a!.commit(LAB, 2, 'al@a.test', BOB);
  await a!.work();
  expect(a!.letters.map(({ to, kind }) => [to, kind])).toEqual([['b.test', 'SHARE_UNSHARED']]);
});

test('when the last of our users has left the group, all our shares with it end', async () => {
  await commit(1, [BOB, ALICE], a!, b!);
  const { shareId } = (await a!.share()).share;
  await a!.settle();
  await commit(2, [BOB], a!, b!);
  expect((await a!.sending.get(shareId)).share).toMatchObject({ state: 'ended', reason: 'group-left' });
  expect(await b!.visible(BOB)).toEqual([]);
});

test('more shares than fit one transaction are settled all the same', async () => {
  await commit(1, [ALICE], a!);
  for (let count = 0; count < 60; count++) await a!.share();
  await a!.settle();
  await commit(2, [ALICE, BOB], a!, b!);
  expect(await b!.visible(BOB)).toHaveLength(60);
});

test('shares are counted by state', async () => {
  await commit(1, [ALICE, BOB], a!, b!);
  await a!.share();
  const { shareId } = (await a!.share()).share;
  await a!.settle();
  await a!.sending.unshare(shareId);
  await a!.settle();
  const [sender, receiver] = [await a!.metrics.text(), await b!.metrics.text()];
  expect(sender).toContain('covey_shares{kind="sent",state="open"} 1');
  expect(sender).toContain('covey_shares{kind="announced",state="accepted"} 2');
  expect(receiver).toContain('covey_shares{kind="received",state="ended"} 1');
});
