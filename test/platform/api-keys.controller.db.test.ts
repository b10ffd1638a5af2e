import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ApiKeysService } from '../../src/platform/api-keys.service.js';
import { leaseDatabase } from '../support/database.js';
import { API_KEY, platformApp } from './app.js';

const bearer = (text: unknown) => ({ headers: { authorization: `Bearer ${String(text)}` } });

test('without an API key nothing is told, and the answer says what is missing', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const none = await covey.ask('GET', '/api/v1/api-keys', { headers: { authorization: '' } });
  expect([none.status, none.json['code'], none.headers['www-authenticate']]).toEqual([
    401,
    'api-key.missing',
    'Bearer realm="covey"',
  ]);
  expect((await covey.ask('GET', '/api/v1/api-keys', bearer('nobody'))).json['code']).toBe('api-key.unknown');
  expect((await covey.ask('GET', '/api/v1/api-keys', { headers: { authorization: `Basic ${API_KEY}` } })).status).toBe(
    401,
  );
});

test('a key is made, opens the interface, is listed without its text, and opens nothing once revoked', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const made = await covey.ask('POST', '/api/v1/api-keys', { body: { name: ' nextcloud ' } });
  expect([made.status, made.json['name']]).toEqual([201, 'nextcloud']);
  const { text, id } = made.json;
  expect((await covey.ask('GET', '/api/v1/api-keys', bearer(text))).status).toBe(200);
  const listed = await covey.ask('GET', '/api/v1/api-keys');
  expect(listed.json['apiKeys']).toHaveLength(2);
  expect(listed.text).not.toContain(text);
  expect(listed.text).toContain('"lastUsedOn":"2027-01-04"');
  expect((await covey.ask('DELETE', `/api/v1/api-keys/${String(id)}`)).status).toBe(204);
  expect((await covey.ask('DELETE', `/api/v1/api-keys/${String(id)}`)).status).toBe(204);
  expect((await covey.ask('GET', '/api/v1/api-keys', bearer(text))).json['code']).toBe('api-key.unknown');
  expect((await covey.ask('GET', '/api/v1/api-keys')).text).toContain('"revokedAt":"2027-01-04T09:00:00.000Z"');
});

test('only a hash of a key is in the database', async () => {
  await using lease = await leaseDatabase();
  {
    await using covey = await platformApp(lease);
    expect(covey.config.apiKey).toBe(API_KEY);
  }
  const source = await lease.open([]);
  expect(JSON.stringify(await source.query("SELECT *, encode(hash, 'escape') AS shown FROM api_key"))).not.toContain(
    API_KEY,
  );
});

test('who revokes what is not there is told so', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const missing = await covey.ask('DELETE', '/api/v1/api-keys/0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11');
  expect([missing.status, missing.json['code']]).toEqual([404, 'not-found']);
  expect((await covey.ask('DELETE', '/api/v1/api-keys/1')).json['code']).toBe('body.malformed');
});

test('the day of the last use moves on with the days', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  await covey.ask('GET', '/api/v1/api-keys');
  covey.clock.advanceDays(1);
  await covey.ask('GET', '/api/v1/api-keys');
  expect((await covey.ask('GET', '/api/v1/api-keys')).text).toContain('"lastUsedOn":"2027-01-05"');
});

test('without a configured key the first run makes one, for its owner only, and the next run makes no other', async () => {
  await using lease = await leaseDatabase();
  const env = { COVEY_API_KEY: '' };
  await using first = await platformApp(lease, { env });
  const path = join(first.config.dataFolder, 'api-key');
  expect(first.app.get(ApiKeysService).whereabouts).toBe(path);
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
  expect((await first.ask('GET', '/api/v1/api-keys', bearer(readFileSync(path, 'utf8').trim()))).status).toBe(200);
  await first.app.close();
  await using second = await platformApp(lease, { env });
  expect(await second.app.get(ApiKeysService).list()).toHaveLength(1);
});

test('a configured key that was revoked stays revoked', async () => {
  await using lease = await leaseDatabase();
  {
    await using covey = await platformApp(lease);
    const [key] = await covey.app.get(ApiKeysService).list();
    await covey.app.get(ApiKeysService).revoke(key!.id);
  }
  await using again = await platformApp(lease);
  expect((await again.ask('GET', '/api/v1/api-keys')).status).toBe(401);
});
