import { expect, test } from 'vitest';
import { PeerClient } from '../../src/ocm/peer.client.js';
import { host } from '../../src/kernel/address.js';
import { labOfThree } from '../federation/forgery.js';
import type { World } from '../support/world.js';

/** What `from` is told when it asks `to`. */
async function ask(world: World, from: string, to: string, query: object) {
  const path = `/mls-commits?${new URLSearchParams(query as Record<string, string>).toString()}`;
  const { status, body } = await world.server(from).get(PeerClient).getSigned(host(to), path);
  const { request: _, ...said } = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>;
  return { status, said };
}

test('D-11 Commits are given to servers that had a member in those epochs; all others are answered alike', async () => {
  const { world, lab, mlsGroupId, alice, bob } = await labOfThree();
  await using _ = world;
  await alice.remove(lab, bob);
  await world.settle();
  const known = await ask(world, 'c.test', 'a.test', { mlsGroupId, fromEpoch: '1' });
  expect(known).toMatchObject({ status: 200, said: { mlsGroupId, epoch: 2, commits: [{ arbiter: 'a.test' }] } });
  expect(await ask(world, 'c.test', 'a.test', { mlsGroupId, fromEpoch: '2' })).toMatchObject({
    status: 200,
    said: { epoch: 2, commits: [] },
  });
  expect((await ask(world, 'b.test', 'a.test', { mlsGroupId, fromEpoch: '1' })).said['commits']).toHaveLength(1);

  // Who has no admin has the same.
  expect((await ask(world, 'a.test', 'c.test', { mlsGroupId, fromEpoch: '1' })).said).toMatchObject({
    epoch: 2,
    commits: [{}],
  });

  await world.add('d.test');
  const strangers = [
    await ask(world, 'c.test', 'a.test', { mlsGroupId, fromEpoch: '0' }), // was added later
    await ask(world, 'b.test', 'a.test', { mlsGroupId, fromEpoch: '2' }), // was removed before
    await ask(world, 'd.test', 'a.test', { mlsGroupId, fromEpoch: '1' }),
    await ask(world, 'c.test', 'a.test', { mlsGroupId: 'AAAA', fromEpoch: '1' }),
  ];
  for (const answer of strangers) {
    expect(answer).toEqual({ status: 404, said: { code: 'commits.unknown', message: 'COMMITS_UNKNOWN' } });
  }
  for (const query of [{ mlsGroupId }, { mlsGroupId, fromEpoch: '-1' }, { mlsGroupId, fromEpoch: 'x' }]) {
    expect((await ask(world, 'c.test', 'a.test', query)).status).toBe(400);
  }
});

test('a log that was cut off gives nothing, and says where the group stands', async () => {
  const { world, mlsGroupId } = await labOfThree();
  await using _ = world;
  await world.server('a.test').query('DELETE FROM commit_log WHERE epoch = 0');
  expect(await ask(world, 'b.test', 'a.test', { mlsGroupId, fromEpoch: '0' })).toMatchObject({
    status: 200,
    said: { epoch: 1, commits: [] },
  });
});
