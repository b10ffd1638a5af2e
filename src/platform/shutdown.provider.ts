import type { INestApplicationContext } from '@nestjs/common';
import type { Log } from './logger.service.js';

/** A terminal and npm both pass Ctrl-C on, so one press may arrive twice. */
const SAME_PRESS_MS = 1000;

/**
 * Stops cleanly when asked: no new work, open requests and turns end, the database is closed, exit code 0. When that
 * takes longer than `withinMs`, or when asked again, the process ends at once with exit code 1: what was not committed
 * is as if it had not begun.
 */
export function stopOnSignals(app: INestApplicationContext, log: Log, withinMs: number): void {
  let askedAt: number | undefined;
  const end = (code: number) => {
    log.flush();
    process.exit(code);
  };
  const stop = (signal: string) => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > SAME_PRESS_MS) end(1);
      return;
    }
    askedAt = performance.now();
    log.info({ event: 'stopping', signal }, 'finishing what is open');
    setTimeout(() => {
      log.error({ event: 'stopped', clean: false }, 'not everything ended in time');
      end(1);
    }, withinMs).unref();
    app.close().then(
      () => {
        log.info({ event: 'stopped', clean: true }, 'stopped');
        end(0);
      },
      (err: unknown) => {
        log.error({ event: 'stopped', clean: false, err }, 'the stop failed');
        end(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // State that nobody foresaw is left as a crash leaves it, which every start can deal with.
  process.on('uncaughtException', (err) => {
    log.fatal({ event: 'crashed', err }, 'an error that nobody caught');
    end(1);
  });
}
