import type { DataSource, QueryRunner } from 'typeorm';

/** What is thrown where a server dies. */
export class Crash extends Error {
  constructor(sql: string) {
    super(`died at: ${sql.slice(0, 80)}`);
  }
}

/** Lets a server die at a chosen statement: what was not committed then is lost, and nothing is done any more. */
export class CrashPoint {
  /** The statements since the last `watch`. */
  readonly statements: string[] = [];
  /** How many statements ever changed something. */
  wrote = 0;
  private dead = false;
  private at: { readonly statement: number; readonly when: 'before' | 'after' } | undefined;

  get isDead(): boolean {
    return this.dead;
  }

  /** Counts from here on: the next statement is number 1. */
  watch(): void {
    this.statements.length = 0;
  }

  /** Dies before or after the database has carried out that statement; BEGIN and COMMIT count, too. */
  arm(statement: number, when: 'before' | 'after'): void {
    this.watch();
    this.at = { statement, when };
  }

  /** Lives on past the statement that was chosen. */
  disarm(): void {
    this.at = undefined;
  }

  die(): void {
    this.dead = true;
  }

  /** Stands between the service and its database from now on. */
  wrap(source: DataSource): void {
    const create = source.createQueryRunner.bind(source);
    source.createQueryRunner = (...args) => this.guard(create(...args));
  }

  private guard(runner: QueryRunner): QueryRunner {
    const query = runner.query.bind(runner) as (sql: string, ...rest: unknown[]) => Promise<unknown>;
    const guarded = async (sql: string, ...rest: unknown[]): Promise<unknown> => {
      this.statements.push(sql);
      this.pass(sql, 'before');
      const result = await query(sql, ...rest);
      if (changed(sql, result)) this.wrote += 1;
      this.pass(sql, 'after');
      return result;
    };
    runner.query = guarded as QueryRunner['query'];
    return runner;
  }

  private pass(sql: string, when: 'before' | 'after'): void {
    if (this.at?.statement === this.statements.length && this.at.when === when) this.dead = true;
    if (this.dead) throw new Crash(sql);
  }
}

/** Whether a statement changed anything, by what TypeORM made of PostgreSQL's answer. In doubt it did. */
function changed(sql: string, result: unknown): boolean {
  if (!/^\s*(INSERT|UPDATE|DELETE|WITH)\b/i.test(sql) || !/\b(INSERT|UPDATE|DELETE)\b/i.test(sql)) return false;
  if (Array.isArray(result)) return typeof result[1] === 'number' ? result[1] > 0 : true;
  return (result as { affected?: number }).affected !== 0;
}
