import { expect, test } from 'vitest';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

test('metrics are for this machine only, and count requests by route', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  await covey.ask('DELETE', '/api/v1/api-keys/0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11');
  const metrics = await covey.ask('GET', '/metrics');
  expect([metrics.status, metrics.type]).toEqual([200, 'text/plain']);
  expect(metrics.text).toContain(
    'covey_http_request_seconds_count{method="DELETE",route="/api/v1/api-keys/:id",status="404"} 1',
  );
  expect((await covey.ask('GET', '/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(404);
});

test('with a token they are for whoever has it', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { env: { COVEY_METRICS_TOKEN: 'metrics_0123456789' } });
  expect((await covey.ask('GET', '/metrics')).status).toBe(401);
  const headers = { authorization: 'Bearer metrics_0123456789', 'x-forwarded-for': '203.0.113.9' };
  expect((await covey.ask('GET', '/metrics', { headers })).status).toBe(200);
});
