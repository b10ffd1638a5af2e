import { verify, createPublicKey } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { parseJwkSet, verificationKey } from '../../src/ocm/jwk-set.js';
import { ServerKeyRepository, ServerKeyRow } from '../../src/ocm/server-key.repository.js';
import { ServerKeysService, TokenKeys } from '../../src/ocm/server-keys.service.js';
import { signBytes, verifyBytes } from '../../src/ocm/signature-algorithm.js';
import type { AuditLog } from '../../src/platform/audit-log.repository.js';
import { configFrom } from '../../src/platform/config.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { Vault } from '../../src/platform/vault.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { TestDice } from '../support/dice.js';
import { boot, OUR_HOST } from './boot.js';
import { golden } from './golden.js';
import { StubNetwork } from './stub-network.js';

let lease: Lease;
let app: NestFastifyApplication | undefined;
const start = async (environment: Record<string, string> = {}, seed = 'one') => {
  await app?.close();
  app = await boot({ lease, network: new StubNetwork(), environment, seed });
  return app.get(ServerKeysService);
};
beforeEach(async () => {
  lease = await leaseDatabase();
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await lease.release();
});

test('the first start makes a key of each kind, named by our domain; later starts find them', async () => {
  const keys = await start();
  expect(keys.http).toMatchObject({ alg: 'Ed25519', kid: expect.stringMatching(/^b\.test#http-[0-9a-f]{8}$/) });
  expect(keys.token).toMatchObject({ alg: 'ES256', kid: expect.stringMatching(/^b\.test#token-[0-9a-f]{8}$/) });
  const again = await start({}, 'two');
  expect([again.http.kid, again.token.kid]).toEqual([keys.http.kid, keys.token.kid]);
});

test('what a key signs verifies with what is published, and nothing private is published', async () => {
  const keys = await start();
  for (const { kid, alg, privateKey } of [keys.http, keys.token]) {
    const { key } = verificationKey(parseJwkSet(keys.published), kid);
    expect(verifyBytes(alg, key, utf8('x'), signBytes(alg, privateKey, utf8('x')))).toBe(true);
  }
  expect(keys.published.keys.every((jwk) => !('d' in jwk))).toBe(true);
});

test.each(['ES256', 'RS256', 'Ed25519'])('tokens are signed with %s when that is configured', async (alg) => {
  await start({ COVEY_TOKEN_ALGORITHM: alg });
  expect(app!.get(TokenKeys).current().alg).toBe(alg);
});

test('another algorithm makes a new key, and the old one stays published', async () => {
  const { token: old } = await start();
  const keys = await start({ COVEY_TOKEN_ALGORITHM: 'Ed25519' }, 'two');
  expect(keys.token.alg).toBe('Ed25519');
  expect(keys.published.keys.map(({ kid }) => kid)).toEqual(expect.arrayContaining([old.kid, keys.token.kid]));
  expect(keys.published.keys).toHaveLength(3);
});

test('another domain makes new keys', async () => {
  await start();
  const keys = await start({ COVEY_DOMAIN: 'c.test' }, 'two');
  expect([keys.http.kid, keys.token.kid].every((kid) => kid.startsWith('c.test#'))).toBe(true);
});

test('private keys are sealed for the row that they stand in', async () => {
  await start();
  const vault = app!.get(Vault);
  const [one, other] = await app!.get(TransactionService).run((tx) => tx.find(ServerKeyRow));
  expect(vault.open(one!.privateSealed, `server_key.private:${one!.kid}`)[0]).toBe(0x30);
  expect(() => vault.open(one!.privateSealed, `server_key.private:${other!.kid}`)).toThrow('vault.sealed-otherwise');
});

test('replicas that start at the same time make one set of keys', async () => {
  const source = await lease.open([ServerKeyRow]);
  const transactions = new TransactionService(source);
  const config = configFrom({ COVEY_DOMAIN: OUR_HOST });
  const audit = { record: () => Promise.resolve() } as unknown as AuditLog;
  const replicas = ['a', 'b', 'c'].map((seed) => {
    const dice = new TestDice(seed);
    const vault = new Vault({ keys: [new Uint8Array(32)] }, dice);
    return new ServerKeysService(new ServerKeyRepository(), transactions, vault, config, new TestClock(), dice, audit);
  });
  await Promise.all(replicas.map((replica) => replica.onModuleInit()));
  expect(new Set(replicas.map(({ http }) => http.kid)).size).toBe(1);
  expect(new Set(replicas.map(({ token }) => token.kid)).size).toBe(1);
  expect(replicas[0]!.published.keys).toHaveLength(2);
  await source.destroy();
});

test('the JWK Set is served at two places, for a while', async () => {
  const keys = await start();
  for (const url of ['/ocm/jwks', '/.well-known/jwks.json']) {
    const answer = await app!.inject({ url });
    expect(answer.json()).toEqual(keys.published);
    expect(answer.headers['cache-control']).toBe('public, max-age=300');
    expect(answer.headers['content-type']).toContain('json');
  }
});

test('a published key looks like the golden one', async () => {
  const { published } = await start();
  const shape = (set: { keys: readonly object[] }) => new Set(set.keys.map((jwk) => Object.keys(jwk).sort().join()));
  const example = golden('jwks') as { keys: object[] };
  expect(shape(published)).toEqual(shape(example));
  expect(parseJwkSet(example)).toEqual(example);
});

test('discovery is served, with the places of this server', async () => {
  await start({ COVEY_PUBLIC_URL: 'https://ocm.b.test', COVEY_PROVIDER_NAME: 'Example Cloud' });
  const answer = await app!.inject({ url: '/.well-known/ocm' });
  expect(JSON.stringify(answer.json())).toBe(
    JSON.stringify(golden('discovery')).replaceAll('cloud.example.org', 'ocm.b.test'),
  );
  expect(answer.headers['cache-control']).toBe('public, max-age=300');
});

test('a signature made with node alone verifies with the published JWK', async () => {
  const keys = await start();
  const jwk = keys.published.keys.find(({ kid }) => kid === keys.http.kid)!;
  const signature = signBytes('Ed25519', keys.http.privateKey, utf8('x'));
  expect(verify(null, utf8('x'), createPublicKey({ key: jwk as never, format: 'jwk' }), signature)).toBe(true);
});
