import { expect, test } from 'vitest';
import { Poller } from '../../src/platform/poller.service.js';
import { ReadinessService } from '../../src/platform/readiness.service.js';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

test('a process that can do its work lives and is ready', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  expect((await covey.ask('GET', '/healthz')).json).toEqual({ status: 'ok' });
  const ready = await covey.ask('GET', '/readyz');
  expect([ready.status, ready.json]).toEqual([
    200,
    { ready: true, checks: { database: 'ok', migrations: 'ok', 'sealing-key': 'ok' } },
  ]);
});

test('a check that is not fulfilled makes it unready, and it lives on', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  covey.app.get(ReadinessService).add('keys', () => Promise.reject(new Error('no signing key')));
  const ready = await covey.ask('GET', '/readyz');
  expect([ready.status, ready.json['checks']]).toMatchObject([503, { keys: 'no signing key', database: 'ok' }]);
  expect((await covey.ask('GET', '/healthz')).status).toBe(200);
});

test('a process that stops is not ready', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  covey.app.get(ReadinessService).onModuleDestroy();
  expect((await covey.ask('GET', '/readyz')).status).toBe(503);
});

test('its workers stand still until they are started', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const [upkeep] = covey.app.get(Poller).turns;
  expect([upkeep?.name, await upkeep?.turn()]).toEqual(['platform.upkeep', false]);
});
