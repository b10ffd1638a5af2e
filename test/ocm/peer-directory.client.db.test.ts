import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { host, type Host } from '../../src/kernel/address.js';
import { Fault } from '../../src/kernel/fault.js';
import { PeerDirectory } from '../../src/ocm/peer-directory.client.js';
import { PeerDocumentRow, PeerRepository } from '../../src/ocm/peer.repository.js';
import { type Config, configFrom } from '../../src/platform/config.js';
import type { TransactionService } from '../../src/platform/transaction.service.js';
import type { Trust } from '../../src/trust/trust.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { FakePeer } from './fake-peer.js';
import { pair } from './signing.js';
import { json, StubNetwork } from './stub-network.js';

const A = host('a.test');
const WELL_KNOWN = '/.well-known/ocm';
let lease: Lease;
let transactions: TransactionService;
let network: StubNetwork;
let clock: TestClock;
let peer: FakePeer;

beforeAll(async () => {
  lease = await leaseDatabase();
  transactions = await lease.transactions([PeerDocumentRow]);
});
beforeEach(async () => {
  await transactions.run((tx) => tx.query('TRUNCATE peer_document'));
  network = new StubNetwork();
  clock = new TestClock();
  peer = new FakePeer(A, network);
});
afterAll(() => lease.release());

/** A replica; all share the database. */
const replica = (environment: Record<string, string> = {}) =>
  new PeerDirectory(
    network,
    new PeerRepository(),
    transactions,
    trustOf(configFrom({ COVEY_DOMAIN: 'b.test', ...environment })),
    configFrom({ COVEY_DOMAIN: 'b.test', ...environment }),
    clock,
  );
/** Nothing was set for anybody. */
const trustOf = (config: Config) => ({ isCompatible: (of: Host) => config.isCompatible(of) }) as Trust;
const down = (url: string) => network.at(url, () => new Fault('peer.unreachable'));
const key = (directory: PeerDirectory, kid = peer.key.signing.kid, of: Host = A) => directory.verificationKey(of, kid);

describe('documents', () => {
  test('are read once and then believed as long as their server says', async () => {
    const directory = replica();
    for (let time = 0; time < 3; time++) expect((await directory.discovery(A)).endPoint).toBe('https://a.test/ocm');
    await key(directory);
    await key(directory);
    expect([network.times(WELL_KNOWN), network.times('/ocm/jwks')]).toEqual([1, 1]);
    clock.advanceSeconds(599);
    await key(directory);
    expect(network.times('/ocm/jwks')).toBe(1);
    clock.advanceSeconds(2);
    await key(directory);
    expect(network.times('/ocm/jwks')).toBe(2);
  });

  test('are shared by replicas, and survive a restart', async () => {
    await key(replica());
    await key(replica());
    expect(network.asked).toHaveLength(2);
  });

  test('are asked for once, however many want them at the same time', async () => {
    const directory = replica();
    await Promise.all([key(directory), key(directory), directory.discovery(A), directory.discovery(A)]);
    expect(network.asked).toHaveLength(2);
  });

  test('serve on for an hour when their server fails, and not longer', async () => {
    const directory = replica();
    await key(directory);
    down('https://a.test/.well-known/ocm');
    down('https://a.test/ocm/jwks');
    clock.advanceSeconds(600 + 3_599);
    expect((await directory.discovery(A)).endPoint).toBe('https://a.test/ocm');
    await expect(key(directory)).resolves.toMatchObject({ alg: 'Ed25519' });
    clock.advanceSeconds(61);
    await expect(directory.discovery(A)).rejects.toThrow('peer.unreachable');
    await expect(key(directory)).rejects.toThrow('peer.unreachable');
  });

  test.each<[string, (network: StubNetwork) => void, string]>([
    ['404', (on) => on.at('https://a.test/.well-known/ocm', () => json({}, 404)), 'peer.discovery-failed'],
    ['a redirect', (on) => on.at('https://a.test/.well-known/ocm', () => json({}, 302)), 'peer.discovery-failed'],
    [
      'no JSON',
      (on) => on.at('https://a.test/.well-known/ocm', () => ({ ...json({}), body: new Uint8Array(9) })),
      'peer.discovery-malformed',
    ],
    ['another shape', (on) => on.at('https://a.test/.well-known/ocm', () => json([])), 'peer.discovery-malformed'],
    [
      'no answer in time',
      (on) => on.at('https://a.test/.well-known/ocm', () => new Fault('peer.timeout')),
      'peer.timeout',
    ],
  ])('that cannot be read: %s', async (_, breakIt, code) => {
    breakIt(network);
    await expect(replica().discovery(A)).rejects.toThrow(code);
  });

  test('are asked for without cookies, with limits, and only below https', async () => {
    await replica().discovery(A);
    expect(network.asked[0]).toMatchObject({
      url: 'https://a.test/.well-known/ocm',
      maxBytes: 262_144,
      timeoutMs: 20_000,
    });
  });
});

describe('a failure', () => {
  test('is remembered for a while, by all replicas, and ends by itself', async () => {
    down('https://a.test/.well-known/ocm');
    await expect(replica().discovery(A)).rejects.toThrow('peer.unreachable');
    await expect(replica().discovery(A)).rejects.toThrow('peer.unreachable');
    expect(network.times(WELL_KNOWN)).toBe(1);
    clock.advanceSeconds(5);
    await expect(replica().discovery(A)).rejects.toThrow('peer.unreachable');
    clock.advanceSeconds(5);
    await expect(replica().discovery(A)).rejects.toThrow('peer.unreachable');
    expect(network.times(WELL_KNOWN)).toBe(2);
    new FakePeer(A, network);
    clock.advanceSeconds(5);
    expect((await replica().discovery(A)).enabled).toBe(true);
  });
});

describe('a key that is not in the JWK Set', () => {
  const rotate = () => {
    peer.key = pair(`${A}#http-2`);
    peer.published = [...peer.published, peer.key.jwk];
  };

  test('makes the set be read anew, once a minute at most', async () => {
    const directory = replica();
    await key(directory);
    clock.advanceSeconds(60);
    rotate();
    await expect(key(directory)).resolves.toMatchObject({ kid: 'a.test#http-2' });
    expect(network.times('/ocm/jwks')).toBe(2);
    for (let time = 0; time < 5; time++)
      await expect(key(directory, 'a.test#x')).rejects.toThrow('signature.key-unknown');
    expect(network.times('/ocm/jwks')).toBe(2);
    clock.advanceSeconds(60);
    await expect(key(directory, 'a.test#x')).rejects.toThrow('signature.key-unknown');
    expect(network.times('/ocm/jwks')).toBe(3);
  });

  test('is looked for at the new place when the set has moved', async () => {
    const directory = replica();
    await key(directory);
    clock.advanceSeconds(60);
    rotate();
    peer.document = { ...peer.document, jwksUri: 'https://keys.example.net/a' };
    network.at('https://keys.example.net/a', () => json({ keys: peer.published }));
    network.at('https://a.test/ocm/jwks', () => json({ keys: [] }));
    await expect(key(directory)).resolves.toMatchObject({ kid: 'a.test#http-2' });
  });

  test('one server does not slow another down', async () => {
    const other = new FakePeer('c.test', network);
    const directory = replica();
    await key(directory);
    await expect(key(directory, 'a.test#x')).rejects.toThrow('signature.key-unknown');
    await expect(key(directory, other.key.signing.kid, host('c.test'))).resolves.toMatchObject({ alg: 'Ed25519' });
  });

  test('that was withdrawn no longer counts once the set is read anew', async () => {
    const directory = replica();
    await key(directory);
    peer.published = [];
    clock.advanceSeconds(601);
    await expect(key(directory)).rejects.toThrow('signature.key-unknown');
  });
});

describe('places', () => {
  test('of a server without jwksUri there is none, unless it is an old one', async () => {
    delete peer.document['jwksUri'];
    network.at('https://a.test/.well-known/jwks.json', () => json({ keys: peer.published }));
    await expect(key(replica())).rejects.toThrow('peer.keys-failed');
    clock.advanceSeconds(60);
    await expect(key(replica({ COVEY_COMPAT: 'a.test' }))).resolves.toMatchObject({ kid: 'a.test#http-1' });
  });

  test.each(['http://a.test/ocm/jwks', 'https://127.0.0.1/jwks', 'https://[::1]/jwks', 'https://localhost/jwks'])(
    'a jwksUri %s is not asked',
    async (jwksUri) => {
      peer.document = { ...peer.document, jwksUri };
      await expect(key(replica())).rejects.toThrow('peer.discovery-malformed');
      expect(network.asked).toHaveLength(1);
    },
  );

  test('in development servers of one machine are found by plain HTTP', async () => {
    const environment = { COVEY_DOMAIN: 'b.localhost:8402', COVEY_DEVELOPMENT: 'on' };
    await expect(replica(environment).discovery(host('a.localhost:8401'))).rejects.toThrow('peer.unreachable');
    expect(network.asked[0]!.url).toBe('http://a.localhost:8401/.well-known/ocm');
  });
});
