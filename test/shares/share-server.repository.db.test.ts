import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { due } from '../../src/shares/share-server.js';
import { ShareServerRepository, ShareServerRow } from '../../src/shares/share-server.repository.js';
import { ShareRepository, ShareRow } from '../../src/shares/share.repository.js';
import { leaseDatabase } from '../support/database.js';
import { NO_FEED } from '../support/no-feed.js';

const SHARE = '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23';
const at = new Date('2027-01-04T09:00:00.000Z');
const alice = ocmAddress('alice@a.test');
const SERVERS = ['a.test', 'b.test', 'c.test'].map(host);

test.each(['nothing', 'an empty table', 'a full table'])(
  'one server is taken at a time, and the others stay due, when the database knows of %s',
  async (knows) => {
    await using lease = await leaseDatabase();
    const db = await lease.transactions([ShareRow, ShareServerRow]);
    const [shares, servers] = [new ShareRepository(NO_FEED), new ShareServerRepository(NO_FEED)];
    if (knows === 'an empty table') await db.statement((tx) => tx.query('ANALYZE share_server'));
    const taken = await db.run(async (tx) => {
      const resource = { id: 'f', type: 'file', name: 'f', uri: 'f', permissions: ['read'] } as const;
      const terms = { shareId: SHARE, group: ocmAddress('lab@a.test'), sender: alice, owner: alice, resource };
      await shares.add(tx, { ...terms, createdAt: at, state: 'open' });
      for (const server of SERVERS) await servers.put(tx, due(SHARE, server, at));
      if (knows === 'a full table') await tx.query('ANALYZE share_server');
      return servers.take(tx, at, new Date(at.getTime() + 60_000));
    });
    const left = await db.run((tx) =>
      tx.query<{ server: string }[]>('SELECT server FROM share_server WHERE next_try_at <= $1 ORDER BY 1', [at]),
    );
    expect(taken?.server).toBe('a.test');
    expect(left.map(({ server }) => server)).toEqual(['b.test', 'c.test']);
  },
);
