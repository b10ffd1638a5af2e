import { Injectable } from '@nestjs/common';
import type { Host, OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { Metrics } from '../platform/metrics.service.js';
import { RateLimits } from '../platform/rate-limits.repository.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { PER_USER, requestLimit, ticketsAtOnce } from './request-limits.js';
import { Trust } from './trust.service.js';

/** Requests that were paid for, and until when they may be made; or until when there are none. */
interface Purse {
  readonly tickets: number;
  readonly until: number;
}

/** What was paid for and not used lapses: the allowance has grown by then. */
const LAPSE_MS = 60_000;
const MOST_PURSES = 10_000;
/** Within this a flood costs no statement; `Retry-After` is in whole seconds anyway. */
const SHORTEST_PAUSE_MS = 1_000;
/** The longest that one is told to wait by memory alone: the operator may have raised the limit elsewhere. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * How much each peer may ask of each endpoint, all replicas together. A process takes some requests at once from the shared
 * allowance, so most cost no statement; who has spent everything is refused from memory until there is some again.
 */
@Injectable()
export class PeerLimits {
  private readonly purses = new Map<string, Purse>();
  private readonly buying = new Map<string, Promise<number>>();

  constructor(
    private readonly trust: Trust,
    private readonly limits: RateLimits,
    private readonly transactions: TransactionService,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  /** From memory, before it is proved who asks: whoever uses that name may ask nothing now. Throws `limit.peer`. */
  assertOpen(peer: Host, endpoint: string): void {
    const purse = this.purses.get(nameOf(peer, endpoint));
    const wait = purse?.tickets === 0 ? purse.until - this.clock.now().getTime() : 0;
    if (wait > 0 && wait <= LONGEST_PAUSE_MS) throw this.refusal(peer, endpoint, wait);
  }

  /** One request of a server that proved who it is. Throws `limit.peer`. */
  async spend(peer: Host, endpoint: string): Promise<void> {
    const name = nameOf(peer, endpoint);
    while (!this.takeTicket(name)) {
      // Of many requests at once one buys for all.
      const buying = this.buying.get(name) ?? this.buy(peer, endpoint).finally(() => this.buying.delete(name));
      this.buying.set(name, buying);
      const waitMs = await buying;
      if (waitMs > 0) throw this.refusal(peer, endpoint, waitMs);
    }
  }

  private takeTicket(name: string): boolean {
    const purse = this.purses.get(name);
    const left = (purse?.until ?? 0) - this.clock.now().getTime();
    // One that seems to last longer than any was bought before the clock was set back.
    if (!purse || purse.tickets === 0 || left <= 0 || left > LAPSE_MS) return false;
    this.purses.set(name, { ...purse, tickets: purse.tickets - 1 });
    return true;
  }

  /** Returns how long to wait, in ms, when there is nothing to buy. */
  private async buy(peer: Host, endpoint: string): Promise<number> {
    const name = nameOf(peer, endpoint);
    const now = this.clock.now();
    const allowance = requestLimit(endpoint, this.trust.limitOf(peer));
    const many = ticketsAtOnce(allowance);
    const spend = (count: number) =>
      this.transactions.statement((tx) => this.limits.spend(tx, name, allowance, count, now));
    let tickets = many;
    let waitMs = await spend(many);
    if (waitMs > 0 && many > 1) [tickets, waitMs] = [1, await spend(1)];
    const empty = waitMs > 0;
    const lasts = empty ? Math.max(SHORTEST_PAUSE_MS, Math.min(waitMs, LONGEST_PAUSE_MS)) : LAPSE_MS;
    this.put(name, { tickets: empty ? 0 : tickets, until: now.getTime() + lasts });
    return waitMs;
  }

  /** What a user asks for by way of the file platform, in the transaction that does it. Throws `limit.user`. */
  async spendFor(tx: Tx, user: OcmAddress): Promise<void> {
    const wait = await this.limits.spend(tx, `wishes of user ${user}`, PER_USER, 1, this.clock.now());
    if (wait > 0) throw new Fault('limit.user', { user, retryAfter: Math.ceil(wait / 1000) });
  }

  private put(name: string, purse: Purse): void {
    this.purses.delete(name);
    this.purses.set(name, purse);
    if (this.purses.size > MOST_PURSES) this.purses.delete(this.purses.keys().next().value!);
  }

  private refusal(peer: Host, endpoint: string, waitMs: number): Fault {
    this.metrics.peerLimited(endpoint);
    return new Fault('limit.peer', { peer, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) });
  }
}

const nameOf = (peer: Host, endpoint: string): string => `requests of server ${peer} to ${endpoint}`;
