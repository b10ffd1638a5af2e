import { Controller, Get, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

@Controller('seen')
class Seen {
  @Get()
  seen(@Req() { ip, host, protocol }: FastifyRequest): object {
    return { ip, host, protocol };
  }
}

const FORWARDED = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' };

test('forwarding headers of strangers do not count', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { controllers: [Seen], env: { COVEY_TRUSTED_PROXIES: '10.0.0.0/8' } });
  const { json } = await covey.ask('GET', '/seen', { headers: { ...FORWARDED, host: 'a.test' } });
  expect(json).toEqual({ ip: '127.0.0.1', host: 'a.test', protocol: 'http' });
});

test('forwarding headers of a configured proxy count', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { controllers: [Seen], env: { COVEY_TRUSTED_PROXIES: '127.0.0.0/8' } });
  const { json } = await covey.ask('GET', '/seen', { headers: FORWARDED });
  expect(json).toMatchObject({ ip: '203.0.113.9', protocol: 'https' });
});

test('browsers are told to run nothing from elsewhere', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { controllers: [Seen] });
  const { headers } = await covey.ask('GET', '/seen');
  expect(headers['content-security-policy']).toContain("default-src 'self'");
  expect(headers['content-security-policy']).not.toContain('unsafe');
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['strict-transport-security']).toBeDefined();
});

test('each request has an id of its own, whatever it brought along', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { controllers: [Seen] });
  const ids = await Promise.all(
    [1, 2].map(
      async () => (await covey.ask('GET', '/seen', { headers: { 'x-request-id': 'mine' } })).headers['x-request-id'],
    ),
  );
  expect(new Set([...ids, 'mine']).size).toBe(3);
});
