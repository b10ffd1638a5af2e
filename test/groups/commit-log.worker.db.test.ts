import { expect, test } from 'vitest';
import { CommitLogRepository } from '../../src/groups/commit-log.repository.js';
import { CommitLogWorker, LEAST_EPOCHS } from '../../src/groups/commit-log.worker.js';
import { type Host, ocmAddress } from '../../src/kernel/address.js';
import { type CommitDigest, epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { World } from '../support/world.js';

const DAY_MS = 86_400_000;

/** A group that stands at epoch 150, and took one day for each of them. */
async function old(state = 'active') {
  const world = await World.with({ 'a.test': { COVEY_COMMITS_KEPT: String(30 * 86_400) } });
  const [alice] = await world.users('alice@a.test');
  const server = world.server('a.test');
  const { mlsGroupId } = await alice.sees(await alice.createGroup('lab'));
  const now = world.clock.now().getTime();
  const [db, log] = [server.get(TransactionService), server.get(CommitLogRepository)];
  await db.run(async (tx) => {
    for (let at = 0; at < 150; at++)
      await log.append(tx, {
        mlsGroupId: mlsGroupId as MlsGroupId,
        epoch: epoch(at),
        digest: `digest ${at}` as CommitDigest,
        arbiter: 'a.test' as Host,
        committer: ocmAddress('alice@a.test'),
        added: [],
        removed: [],
        commit: new Uint8Array(100),
        proposals: [],
        recordedAt: new Date(now - (149 - at) * DAY_MS),
      });
    await tx.query('UPDATE federated_group SET epoch = 150, state = $1', [state]);
  });
  const kept = async () =>
    (await server.query<{ epoch: string }>('SELECT epoch FROM commit_log ORDER BY epoch')).map((row) =>
      Number(row.epoch),
    );
  return { world, server, kept, turn: () => server.get(CommitLogWorker).turn() };
}

const from = (first: number) => Array.from({ length: 150 - first }, (_, at) => first + at);

test('D-11 the last Commits of a group stay however old they are, and those before them once they are old', async () => {
  const { world, kept, turn } = await old();
  await using _ = world;
  expect(await turn()).toBe(false);
  expect(await kept()).toEqual(from(150 - LEAST_EPOCHS));
});

test('a group that moves fast keeps what is younger than was configured', async () => {
  const { world, server, kept, turn } = await old();
  await using _ = world;
  await server.query(`UPDATE commit_log SET recorded_at = $1 WHERE epoch >= 20`, [world.clock.now()]);
  await turn();
  expect(await kept()).toEqual(from(20));
  world.clock.advance(30 * DAY_MS + 1000);
  await turn();
  expect(await kept()).toEqual(from(150 - LEAST_EPOCHS));
});

test('of a group that was left nothing is needed once it is old', async () => {
  const { world, kept, turn } = await old('left');
  await using _ = world;
  await turn();
  expect(await kept()).toEqual(from(119));
});

test('how much is kept and how much was forgotten can be measured', async () => {
  const { world, server, turn } = await old();
  await using _ = world;
  await turn();
  const text = await server.get(Metrics).text();
  expect(text).toContain('covey_commit_log_commits 100');
  expect(text).toContain('covey_commit_log_pruned_total 50');
  expect(Number(/covey_commit_log_bytes (\d+)/.exec(text)?.[1])).toBeGreaterThan(0);
});
