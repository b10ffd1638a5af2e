import { afterEach, beforeEach, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { PeerDocumentRow, PeerRepository } from '../../src/ocm/peer.repository.js';
import type { TransactionService } from '../../src/platform/transaction.service.js';
import { leaseDatabase, type Lease } from '../support/database.js';

const peers = new PeerRepository();
const [a, b] = [host('a.test'), host('b.test')];
const at = (hour: number) => new Date(Date.UTC(2027, 0, 1, hour));
let lease: Lease;
let transactions: TransactionService;
beforeEach(async () => {
  lease = await leaseDatabase();
  transactions = await lease.transactions([PeerDocumentRow]);
});
afterEach(() => lease.release());

test('a failure keeps the document, a success forgets the failures', async () => {
  await transactions.run(async (tx) => {
    await peers.keep(tx, a, 'discovery', { x: 1 }, at(1), at(2));
    await peers.failed(tx, a, 'discovery', 'peer.timeout', 2, at(3));
    expect(await peers.find(tx, a, 'discovery')).toEqual({
      host: a,
      kind: 'discovery',
      document: { x: 1 },
      readAt: at(1),
      goodUntil: at(2),
      failures: 2,
      failure: 'peer.timeout',
      retryAt: at(3),
    });
    await peers.keep(tx, a, 'discovery', { x: 2 }, at(4), at(5));
    expect(await peers.find(tx, a, 'discovery')).toMatchObject({
      document: { x: 2 },
      failures: 0,
      failure: null,
      retryAt: null,
    });
    expect(await peers.find(tx, a, 'jwk-set')).toBeUndefined();
  });
});

test('what is neither good nor asked for any more is forgotten', async () => {
  await transactions.run(async (tx) => {
    await peers.keep(tx, a, 'discovery', {}, at(1), at(2));
    await peers.failed(tx, a, 'jwk-set', 'peer.timeout', 1, at(5));
    await peers.keep(tx, b, 'discovery', {}, at(1), at(2));
    await peers.failed(tx, b, 'discovery', 'peer.timeout', 1, at(5));
    await peers.forget(tx, at(4));
    expect(await tx.find(PeerDocumentRow, { select: { host: true, kind: true }, order: { host: 'ASC' } })).toEqual([
      { host: a, kind: 'jwk-set' },
      { host: b, kind: 'discovery' },
    ]);
  });
});
