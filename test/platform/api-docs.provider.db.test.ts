import { expect, test } from 'vitest';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

test('the page of the API needs nothing from elsewhere and runs under its own policy', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const page = await covey.ask('GET', '/api/docs');
  expect([page.status, page.type]).toEqual([200, 'text/html']);
  const asked = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)]
    .map(([, url]) => url!)
    .filter((url) => !url.startsWith('#'));
  expect(asked.length).toBeGreaterThan(3);
  for (const url of asked)
    expect((await covey.ask('GET', new URL(url, 'http://x/api/docs').pathname)).status, url).toBe(200);
  expect(asked.every((url) => url.startsWith('./'))).toBe(true);
  expect(page.text).not.toMatch(/<script>/);
  expect(page.headers['content-security-policy']).toContain("style-src 'self' 'unsafe-inline'");
});

test('the document says what is asked, what is answered, and what for', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const { json } = await covey.ask('GET', '/api/docs.json');
  expect(json['openapi']).toBe('3.0.3');
  expect(json['servers']).toEqual([{ url: 'https://a.test' }]);
  const paths = json['paths'] as Record<string, Record<string, { summary?: string; requestBody?: object }>>;
  expect(Object.keys(paths)).toEqual(['/api/v1/api-keys', '/api/v1/api-keys/{id}', '/api/v1/audit']);
  for (const operations of Object.values(paths))
    for (const { summary } of Object.values(operations)) expect(summary).toBeTruthy();
  expect(JSON.stringify(paths['/api/v1/api-keys']!['post'])).toContain('nextcloud.example.org');
});
