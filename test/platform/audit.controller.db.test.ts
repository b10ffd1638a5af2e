import { expect, test } from 'vitest';
import { AuditLog } from '../../src/platform/audit-log.repository.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

type Line = Readonly<Record<string, unknown>> & { readonly number: number };
const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

test('who made and revoked which API key over which API key is told as lines of JSON', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const made = await covey.ask('POST', '/api/v1/api-keys', { body: { name: 'nextcloud' } });
  const { id, text } = made.json;
  for (let times = 0; times < 2; times++) await covey.ask('DELETE', `/api/v1/api-keys/${String(id)}`);
  const { status, type, text: body } = await covey.ask('GET', '/api/v1/audit');
  expect([status, type]).toEqual([200, 'application/jsonl']);
  expect(linesOf(body)).toMatchObject([
    { act: 'api-key.made', subject: 'from the configuration' },
    {
      act: 'api-key.made',
      at: '2027-01-04T09:00:00.000Z',
      subject: 'nextcloud',
      apiKey: 'from the configuration',
      request: made.headers['x-request-id'],
      facts: { id },
    },
    { act: 'api-key.revoked', subject: 'nextcloud', apiKey: 'from the configuration', facts: { id } },
  ]);
  expect(body).not.toContain(text);
});

test('the export is longer than a page, and goes on after the last number that was seen', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  const [audit, db] = [covey.app.get(AuditLog), covey.app.get(TransactionService)];
  await db.run(async (tx) => {
    for (let at = 0; at < 1_200; at++) await audit.record(tx, { act: 'api-key.made', subject: `key ${at}` });
  });
  const all = linesOf((await covey.ask('GET', '/api/v1/audit')).text);
  expect(all).toHaveLength(1_201);
  expect(all.map(({ number }) => number)).toEqual(all.map(({ number }) => number).sort((a, b) => a - b));
  const last = all.at(-3)!.number;
  expect(linesOf((await covey.ask('GET', `/api/v1/audit?after=${last}`)).text)).toEqual(all.slice(-2));
  expect((await covey.ask('GET', `/api/v1/audit?after=${all.at(-1)!.number}`)).text).toBe('');
  covey.clock.advanceDays(1);
  expect((await covey.ask('GET', '/api/v1/audit?since=2027-01-05T09:00:00Z')).text).toBe('');
});

test('the export is for who has an API key, and for sensible questions', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease);
  expect((await covey.ask('GET', '/api/v1/audit', { headers: { authorization: '' } })).status).toBe(401);
  for (const query of ['after=-1', 'after=x', 'since=yesterday', 'what=all']) {
    expect((await covey.ask('GET', `/api/v1/audit?${query}`)).json['code']).toBe('body.malformed');
  }
});
