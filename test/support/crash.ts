import type { DataSource, QueryRunner } from 'typeorm';
import type { Looked } from './rests.js';

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
  /** How many statements ever changed something for others to see: those of a transaction count when it is committed. */
  wrote = 0;
  /** The same for each table that such a statement names. */
  private readonly writes = new Map<string, number>();
  private tables: TablesOf = () => [];
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

  /** The tables that the statements after the first `from` name. */
  lookedSince(from: number): Looked {
    const made = this.statements.slice(from);
    const at = new Set(made.flatMap((sql) => this.tables(sql)));
    const further = new Set(made.filter((sql) => !CLEARS.test(sql)).flatMap((sql) => this.tables(sql)));
    return { at: [...at], clearedOnly: [...at].filter((table) => !further.has(table)) };
  }

  /** Grows with every statement that changed any of these tables. */
  writesTo(tables: readonly string[]): number {
    return tables.reduce((sum, table) => sum + (this.writes.get(table) ?? 0), 0);
  }

  /** Stands between the service and its database from now on. */
  wrap(source: DataSource): void {
    this.tables = tablesNamed(source.entityMetadatas.map(({ tableName }) => tableName));
    const create = source.createQueryRunner.bind(source);
    source.createQueryRunner = (...args) => this.guard(create(...args));
  }

  private guard(runner: QueryRunner): QueryRunner {
    const query = runner.query.bind(runner) as (sql: string, ...rest: unknown[]) => Promise<unknown>;
    const uncommitted: string[] = [];
    let isOpen = false;
    const guarded = async (sql: string, ...rest: unknown[]): Promise<unknown> => {
      this.statements.push(sql);
      this.pass(sql, 'before');
      const result = await query(sql, ...rest);
      isOpen = sql === 'START TRANSACTION' || (isOpen && sql !== 'COMMIT' && sql !== 'ROLLBACK');
      if (changed(sql, result)) uncommitted.push(sql);
      if (sql === 'ROLLBACK') uncommitted.length = 0;
      if (!isOpen) for (const one of uncommitted.splice(0)) this.note(one);
      this.pass(sql, 'after');
      return result;
    };
    runner.query = guarded as QueryRunner['query'];
    return runner;
  }

  private note(sql: string): void {
    this.wrote += 1;
    for (const table of this.tables(sql)) this.writes.set(table, (this.writes.get(table) ?? 0) + 1);
  }

  private pass(sql: string, when: 'before' | 'after'): void {
    if (this.at?.statement === this.statements.length && this.at.when === when) this.dead = true;
    if (this.dead) throw new Crash(sql);
  }
}

/** What takes rows as a job wants them back. */
const CLEARS = /^\s*DELETE(?![^]*\bRETURNING\b)/i;

type TablesOf = (sql: string) => readonly string[];

/** Every statement's words among these names; a column of the same name counts, which does no harm. */
function tablesNamed(names: readonly string[]): TablesOf {
  const known = new Set(names);
  const read = new Map<string, readonly string[]>();
  return (sql) => {
    let found = read.get(sql);
    if (!found) read.set(sql, (found = [...new Set(sql.match(/\w+/g))].filter((word) => known.has(word))));
    return found;
  };
}

/** Whether a statement changed anything, by what TypeORM made of PostgreSQL's answer. In doubt it did. */
function changed(sql: string, result: unknown): boolean {
  if (!/^\s*(INSERT|UPDATE|DELETE|WITH)\b/i.test(sql) || !/\b(INSERT|UPDATE|DELETE)\b/i.test(sql)) return false;
  if (Array.isArray(result)) return typeof result[1] === 'number' ? result[1] > 0 : true;
  return (result as { affected?: number }).affected !== 0;
}
