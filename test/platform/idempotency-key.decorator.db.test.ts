import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { expect, test } from 'vitest';
import { ApiKeyGuard } from '../../src/platform/api-key.guard.js';
import { IdempotencyKey } from '../../src/platform/idempotency-key.decorator.js';
import { Idempotency, type IdempotencyKey as Key } from '../../src/platform/idempotency.repository.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { leaseDatabase } from '../support/database.js';
import { platformApp } from './app.js';

let made = 0;

@UseGuards(ApiKeyGuard)
@Controller('api/v1/things')
class Things {
  constructor(
    private readonly db: TransactionService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  make(@IdempotencyKey() key: Key | undefined, @Body() _: unknown): Promise<object> {
    return this.db.run((tx) => this.idempotency.once(tx, key, async () => ({ made: ++made })));
  }
}

test('a request that names itself does its work once', async () => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { controllers: [Things] });
  const headers = { 'idempotency-key': 'first-0001' };
  const first = await covey.ask('POST', '/api/v1/things', { body: { a: 1 }, headers });
  expect((await covey.ask('POST', '/api/v1/things', { body: { a: 1 }, headers })).json).toEqual(first.json);
  const other = await covey.ask('POST', '/api/v1/things', { body: { a: 2 }, headers });
  expect([other.status, other.json['code']]).toEqual([422, 'idempotency.reused']);
  expect((await covey.ask('POST', '/api/v1/things', { body: { a: 1 } })).json).not.toEqual(first.json);
});

test.each(['', 'with space', 'x'.repeat(201)])('the key "%s" is refused', async (key) => {
  await using lease = await leaseDatabase();
  await using covey = await platformApp(lease, { controllers: [Things] });
  const answer = await covey.ask('POST', '/api/v1/things', { body: {}, headers: { 'idempotency-key': key } });
  expect([answer.status, answer.json['code']]).toEqual([400, 'idempotency.malformed']);
});
