import * as jose from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProtocolServer } from '../../src/integration/protocol-server.js';
import { host, ocmAddress } from '../../src/kernel/address.js';
import type { Credential } from '../../src/tokens/tokens.service.js';
import { ShareHouse } from '../shares/share-house.js';

let house: ShareHouse;
let given: Credential;
const [LAB, ALICE, BOB, BEN, CAROL] = ['lab@a.test', 'alice@a.test', 'bob@b.test', 'ben@b.test', 'carol@c.test'];
const B = host('b.test');

const grantTo = (recipient: string, change: { expiresAt?: Date; resourceId?: string; shareId?: string } = {}) =>
  house.db.run((tx) =>
    house.tokens.grant(tx, {
      shareId: '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23',
      resourceId: 'file-1',
      group: ocmAddress(LAB),
      sender: ocmAddress(ALICE),
      owner: ocmAddress(ALICE),
      recipient: host(recipient),
      data: { resourceType: 'file', name: 'data.tar', uri: 'data.tar', permissions: ['read'] },
      ...change,
    }),
  );
const exchange = (change: { clientId?: string; code?: string; member?: string; from?: string } = {}) =>
  house.tokens.exchange(host(change.from ?? B), {
    clientId: host(change.clientId ?? change.from ?? B),
    code: change.code ?? given.sharedSecret,
    ...(change.member === undefined ? {} : { member: ocmAddress(change.member) }),
  });
const refused = (code: string) => expect.objectContaining({ code });

beforeEach(async () => {
  house = await ShareHouse.open('a.test');
  await house.commit(LAB, 7, ALICE, BOB, BEN, CAROL);
  given = await grantTo(B);
});
afterEach(() => house[Symbol.asyncDispose]());

describe('a token', () => {
  test('verifies with jose as an RFC 9068 access token and says who may do what', async () => {
    const { access_token: token, token_type, expires_in } = await exchange();
    const { payload, protectedHeader } = await jose.jwtVerify(token, house.tokenKey.publicKey, {
      issuer: 'https://a.test',
      audience: LAB,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: house.clock.now(),
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'a.test#token', typ: 'at+jwt' });
    expect([token_type, expires_in]).toEqual(['Bearer', payload.exp! - payload.iat!]);
    expect(payload).toMatchObject({
      sub: 'alice',
      client_id: given.providerId,
      groups: [LAB],
      ocm_group: { address: LAB, epoch: 7, recipient: 'b.test', members: [BOB, BEN] },
    });
    expect(JSON.stringify(payload)).not.toContain(given.sharedSecret);
  });

  test('is what our own verifier accepts from the JWK Set alone', async () => {
    const jwk = { ...(await jose.exportJWK(house.tokenKey.publicKey)), kid: 'a.test#token', alg: 'ES256' };
    const read = (url: string): Promise<unknown> =>
      Promise.resolve(url.endsWith('/ocm') ? { enabled: true, jwksUri: 'https://a.test/ocm/jwks' } : { keys: [jwk] });
    const pairings = [{ domain: 'a.test', modes: ['self-contained'] as const }];
    const verifier = new ProtocolServer({ pairings, read, now: () => house.clock.now() });
    const access = await verifier.verify((await exchange()).access_token);
    expect(access.group).toMatchObject({ epoch: 7, members: [BOB, BEN] });
  });

  test('is issued as often as it is asked for, each time another', async () => {
    const [one, other] = [await exchange(), await exchange()];
    const ids = [one, other].map(({ access_token: token }) => jose.decodeJwt(token).jti);
    expect(new Set(ids).size).toBe(2);
  });

  test('names the epoch and the members of the moment, not of the grant', async () => {
    await house.commit(LAB, 8, ALICE, BOB);
    const claims = jose.decodeJwt((await exchange()).access_token);
    expect(claims['ocm_group']).toMatchObject({ epoch: 8, members: [BOB] });
  });

  test('can be bound to one member', async () => {
    const claims = jose.decodeJwt((await exchange({ member: BEN })).access_token);
    expect(claims['ocm_group']).toMatchObject({ member: BEN, members: [BEN] });
    await expect(exchange({ member: 'mallory@b.test' })).rejects.toEqual(refused('grant.member-unknown'));
    await expect(exchange({ member: CAROL })).rejects.toEqual(refused('grant.member-unknown'));
  });

  test('does not outlive the share', async () => {
    const expiresAt = new Date(house.clock.now().getTime() + 60_000);
    given = await grantTo('c.test', { expiresAt });
    expect((await exchange({ from: 'c.test' })).expires_in).toBe(60);
    house.clock.advance(expiresAt);
    await expect(exchange({ from: 'c.test' })).rejects.toEqual(refused('grant.expired'));
  });
});

describe('a secret opens nothing', () => {
  test('when it is made up', async () => {
    await expect(exchange({ code: 'x'.repeat(43) })).rejects.toEqual(refused('grant.unknown'));
    await expect(exchange({ code: given.providerId })).rejects.toEqual(refused('grant.unknown'));
  });

  test('R-204 in the hands of another member server, which has a secret of its own', async () => {
    const other = await grantTo('c.test');
    expect(other.sharedSecret).not.toBe(given.sharedSecret);
    await expect(exchange({ from: 'c.test' })).rejects.toEqual(refused('grant.other-server'));
    expect((await exchange({ from: 'c.test', code: other.sharedSecret })).expires_in).toBe(300);
  });

  test('when client_id is not the signer', async () => {
    await expect(exchange({ from: 'c.test', clientId: B })).rejects.toEqual(refused('token.other-client'));
    await expect(exchange({ clientId: 'c.test' })).rejects.toEqual(refused('token.other-client'));
  });

  test('once it is revoked, and a revoked one can be followed by another', async () => {
    await house.db.run((tx) => house.tokens.revoke(tx, given.providerId));
    await expect(exchange()).rejects.toEqual(refused('grant.revoked'));
    const again = await grantTo(B);
    expect((await exchange({ code: again.sharedSecret })).token_type).toBe('Bearer');
    await house.db.run((tx) => house.tokens.revokeShare(tx, '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23'));
    await expect(exchange({ code: again.sharedSecret })).rejects.toEqual(refused('grant.revoked'));
  });

  test('for a server whose last member was removed, before anything was reconciled', async () => {
    await house.commit(LAB, 8, ALICE, CAROL);
    await expect(exchange()).rejects.toEqual(refused('grant.server-gone'));
  });

  test('once the sender is no member any more', async () => {
    await house.commit(LAB, 8, 'al@a.test', BOB);
    await expect(exchange()).rejects.toEqual(refused('grant.sender-gone'));
  });

  test('once the group is left', async () => {
    await house.commit(LAB, 8, BOB);
    await expect(exchange()).rejects.toEqual(refused('grant.group-gone'));
  });
});

test('of a secret only a hash is stored', async () => {
  const dump = JSON.stringify(await house.db.statement((tx) => tx.query('SELECT * FROM token_grant')));
  expect(dump).toContain(given.providerId);
  for (const form of [given.sharedSecret, Buffer.from(given.sharedSecret, 'base64url').toString('hex')]) {
    expect(dump).not.toContain(form);
  }
  expect(Buffer.from(given.sharedSecret, 'base64url')).toHaveLength(32);
});

test('a server has one living secret for a share', async () => {
  await expect(grantTo(B)).rejects.toThrow(/token_grant_live/);
});

test('who guesses secrets has to wait, and nobody else has', async () => {
  for (let guess = 0; guess < 100; guess++) {
    await expect(exchange({ code: `guess ${guess}` })).rejects.toEqual(refused('grant.unknown'));
  }
  await expect(exchange()).rejects.toMatchObject({ code: 'token.too-many', facts: { retryAfter: 1 } });
  const other = await grantTo('c.test', { shareId: '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a24' });
  await exchange({ from: 'c.test', code: other.sharedSecret });
  house.clock.advanceSeconds(1);
  await exchange();
  expect(await house.metrics.text()).toContain('covey_tokens_total{outcome="token.too-many"} 1');
});

test('one secret is not exchanged without end', async () => {
  const spent = `tokens of ${given.providerId}`;
  await house.db.run((tx) => house.limits.spend(tx, spent, { everyMs: 100, burst: 1000 }, 1000, house.clock.now()));
  await expect(exchange()).rejects.toEqual(refused('token.too-many'));
  house.clock.advanceSeconds(1);
  for (let token = 0; token < 10; token++) await exchange();
  await expect(exchange()).rejects.toEqual(refused('token.too-many'));
});

test('tokens are counted by outcome', async () => {
  await exchange();
  await expect(exchange({ code: 'no' })).rejects.toThrow();
  const text = await house.metrics.text();
  expect(text).toContain('covey_tokens_total{outcome="ok"} 1');
  expect(text).toContain('covey_tokens_total{outcome="grant.unknown"} 1');
});
