import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { Rounds } from '../kernel/rounds.js';
import { type ApiKey, ApiKeyRepository } from './api-key.repository.js';
import { Log } from './logger.service.js';
import { TransactionService } from './transaction.service.js';

const callers = new WeakMap<object, ApiKey>();

/** The key that a guarded request came with. */
export const callerOf = (request: FastifyRequest): ApiKey | undefined => callers.get(request);

/** Lets requests in that carry `Authorization: Bearer <API key>`. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  /** Keys of requests that come at the same time are looked up in one statement. */
  private readonly found: Rounds<string, ApiKey | undefined>;

  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly transactions: TransactionService,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.found = new Rounds((texts) => transactions.statement((tx) => keys.byTexts(tx, texts)));
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const [, text] = /^Bearer +([\x21-\x7e]{1,300}) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (text === undefined) throw new Fault('api-key.missing');
    const key = await this.found.ask(text);
    if (!key) throw new Fault('api-key.unknown');
    const today = this.clock.now().toISOString().slice(0, 10);
    if (key.lastUsedOn !== today) await this.transactions.statement((tx) => this.keys.used(tx, key.id, today));
    callers.set(request, key);
    this.log.calledBy(key.name);
    return true;
  }
}
