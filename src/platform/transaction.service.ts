import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Brand } from '../kernel/brand.js';
import { Fault } from '../kernel/fault.js';
import { isLostConnection, sqlState } from './database-error.js';

/** An open transaction. Repositories take it; nobody else makes one. */
export type Tx = Brand<EntityManager, 'Tx'>;

const TRIES = 8;
/** serialization_failure, deadlock_detected: the same work may succeed when done again. */
const AGAIN = new Set(['40001', '40P01']);

/** Whose transactions are open. One for the process: each of its kind costs every promise something, for ever. */
const OPEN = new AsyncLocalStorage<readonly TransactionService[]>();

@Injectable()
export class TransactionService {
  private readonly hints = new WeakMap<object, (() => void)[]>();

  constructor(@Inject(DataSource) private readonly source: DataSource) {}

  /**
   * Runs the work in one transaction, again when the database asks for it, so the work must do nothing that a roll-back
   * does not undo. Throws `database.unavailable` when the connection is lost, `transaction.nested` when called within
   * itself: with one connection that would wait for ever.
   */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.persist(() => this.once(work));
  }

  /**
   * For work that is one statement, which is a transaction of its own; again, and with the same faults, as `run`. What it
   * locks is free again when it ends.
   */
  statement<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.persist(() => work(this.source.manager as Tx));
  }

  /**
   * For a turn that seldom finds something to do, and then costs one statement: `look`, which changes nothing and locks
   * nothing, says whether there is something. Another replica may be faster, so that the work looks again. False when there
   * was nothing.
   */
  async runIf<T>(look: (tx: Tx) => Promise<unknown>, work: (tx: Tx) => Promise<T>): Promise<T | false> {
    return (await this.statement(look)) ? this.run(work) : false;
  }

  /** A hint that is given once the transaction is committed, and forgotten when it is rolled back or the process dies. */
  afterCommit(tx: Tx, hint: () => void): void {
    this.hints.get(tx)?.push(hint);
  }

  private get isOpen(): boolean {
    return OPEN.getStore()?.includes(this) === true;
  }

  private async persist<T>(work: () => Promise<T>): Promise<T> {
    if (this.isOpen) throw new Fault('transaction.nested');
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (isLostConnection(error)) throw new Fault('database.unavailable', {}, error);
        if (tries >= TRIES || !AGAIN.has(sqlState(error) ?? '')) throw error;
      }
    }
  }

  private async once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const hints: (() => void)[] = [];
    const result = await OPEN.run([...(OPEN.getStore() ?? []), this], () =>
      this.source.transaction((manager) => {
        this.hints.set(manager, hints);
        return work(manager as Tx);
      }),
    );
    for (const hint of hints) OPEN.exit(hint);
    return result;
  }
}
