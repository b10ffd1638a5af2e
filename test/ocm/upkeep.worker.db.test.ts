import { afterEach, beforeEach, expect, test } from 'vitest';
import { ReplayRepository, SeenSignatureRow } from '../../src/ocm/replay.repository.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import { Poller } from '../../src/platform/poller.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { boot, NOW } from './boot.js';
import { StubNetwork } from './stub-network.js';

let lease: Lease;
beforeEach(async () => {
  lease = await leaseDatabase();
});
afterEach(() => lease.release());

test('signatures are remembered as long as they could be shown again, and keys of other replicas are taken over', async () => {
  const clock = new TestClock(NOW);
  const app = await boot({ lease, network: new StubNetwork(), clock });
  const transactions = app.get(TransactionService);
  const replays = new ReplayRepository();
  const seen = (fingerprint: number, seconds: number) =>
    transactions.run((tx) =>
      replays.remember(tx, Uint8Array.of(fingerprint), new Date(clock.now().getTime() + seconds * 1000)),
    );
  const turn = () =>
    app
      .get(Poller)
      .turns.find(({ name }) => name === 'ocm.upkeep')!
      .turn();

  expect([await seen(1, 60), await seen(2, 120), await seen(1, 60)]).toEqual([true, true, false]);
  clock.advanceSeconds(61);
  await transactions.run(async (tx) => {
    await tx.query(
      `INSERT INTO server_key (kid, kind, alg, state, public_jwk, private_sealed, created_at)
       SELECT 'b.test#http-next', kind, alg, 'next', public_jwk, private_sealed, created_at
       FROM server_key WHERE kind = 'http'`,
    );
  });
  expect(await turn()).toBe(false);
  expect(await transactions.run((tx) => tx.countBy(SeenSignatureRow, {}))).toBe(1);
  expect(app.get(ServerKeysService).published.keys).toHaveLength(3);
  expect([await seen(1, 60), await seen(2, 60)]).toEqual([true, false]);
  await app.close();
});
