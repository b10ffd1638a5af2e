import { expect, test } from 'vitest';
import { host, type OcmAddress, ocmAddress } from '../../src/kernel/address.js';
import { reconcile, type Roster } from '../../src/shares/recipients.js';
import type { OpenShare } from '../../src/shares/share.js';
import { accept, announce, decline, due, endAt, setAside, type ShareServer } from '../../src/shares/share-server.js';

const AT = new Date('2027-01-04T09:00:00Z');
const [A, B, C] = [host('a.test'), host('b.test'), host('c.test')];
const alice = ocmAddress('alice@a.test');
const share = { shareId: 's', sender: alice, state: 'open' } as OpenShare;
const roster = (...servers: Roster['servers']): Roster => ({ active: true, servers, has: (user) => user === alice });

const waiting = (server = B) => due('s', server, AT);
const announced = (server = B) => announce(waiting(server), `p-${server}`, AT);

test('R-173 servers that are new to the group are told of a share that is older than they are', () => {
  const told = [announced(A), accept(announced(B), AT)];
  expect(reconcile(share, roster(A, B, C), told)).toEqual({ kind: 'keep', tell: [C], lost: [] });
});

test('who was told, declined or cannot use the share is not told again', () => {
  const rows: ShareServer[] = [waiting(), announced(), decline(announced(), 'no', AT), setAside(waiting(), 'why', AT)];
  for (const row of rows) expect(reconcile(share, roster(B), [row])).toEqual({ kind: 'keep', tell: [], lost: [] });
});

test('R-201 a server without members loses the share, whatever it had of it', () => {
  const rows = [waiting(), announced(), accept(announced(), AT), decline(announced(), 'no', AT)];
  for (const row of rows) expect(reconcile(share, roster(A), [announced(A), row])).toMatchObject({ lost: [row] });
});

test('a server that left and came back is told anew', () => {
  const told = [announced(A), endAt(announced(B), AT)];
  expect(reconcile(share, roster(A, B), told)).toEqual({ kind: 'keep', tell: [B], lost: [] });
  expect(reconcile(share, roster(A), told)).toEqual({ kind: 'keep', tell: [], lost: [] });
});

test('with its sender, or with our last member, a share ends for everybody', () => {
  const without = { ...roster(A, B), has: (_: OcmAddress) => false };
  expect(reconcile(share, without, [])).toEqual({ kind: 'end', reason: 'sender-left' });
  expect(reconcile(share, { ...without, active: false, servers: [] }, [])).toEqual({
    kind: 'end',
    reason: 'group-left',
  });
});
