import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Vault } from './vault.service.js';
import { TransactionService } from './transaction.service.js';
import { MIGRATIONS } from './migrations/index.js';

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong, in few words. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Whether this process can do its work now. Folders add their own checks. */
@Injectable()
export class ReadinessService implements OnModuleDestroy {
  private readonly checks = new Map<string, () => Promise<void>>();
  private stopping = false;

  constructor(transactions: TransactionService, vault: Vault) {
    this.add('database', async () => {
      await transactions.statement((tx) => tx.query('SELECT 1'));
    });
    this.add('migrations', async () => {
      const [row] = await transactions.statement((tx) =>
        tx.query<{ n: string }[]>('SELECT count(*) AS n FROM migration'),
      );
      if (Number(row?.n) !== MIGRATIONS.length) throw new Error('the schema is of another version');
    });
    this.add('sealing-key', async () => {
      vault.open(vault.seal(new Uint8Array(1), 'readiness'), 'readiness');
    });
  }

  /** `check` throws when it is not fulfilled; the message is shown, so it must be fit for strangers. */
  add(name: string, check: () => Promise<void>): void {
    this.checks.set(name, check);
  }

  async judge(): Promise<Readiness> {
    if (this.stopping) return { ready: false, checks: { process: 'stopping' } };
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await outcome(check)] as const),
    );
    return { ready: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }
}

async function outcome(check: () => Promise<void>): Promise<string> {
  try {
    await check();
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : 'failed';
  }
}
