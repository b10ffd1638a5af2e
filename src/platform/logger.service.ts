import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, type LoggerService } from '@nestjs/common';
import pino, { type DestinationStream, type Logger } from 'pino';
import { redacted } from './redaction.js';

/** What happened, in words that can be searched for; `err` is an Error. Never a secret. */
export interface Entry {
  readonly event: string;
  readonly err?: unknown;
  readonly [fact: string]: unknown;
}

/** What is said of everything that happens for one request. */
interface RequestContext {
  readonly id: string;
  /** The name of the API key that it came with, once that is known. */
  caller?: string;
}

/** The request in hand, and whose. One for the process: each of its kind costs every promise something, for ever. */
const REQUEST = new AsyncLocalStorage<{ readonly log: Log; readonly context: RequestContext }>();

/** JSON lines on stdout, each with the id of the request it belongs to. */
@Injectable()
export class Log implements LoggerService {
  private readonly pino: Logger;
  private readonly stream: DestinationStream & { flushSync?: () => void };

  constructor(level: string, stream?: DestinationStream) {
    const options = {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label: string) => ({ level: label }),
        log: (entry: object) => redacted(entry) as Record<string, unknown>,
      },
      // Pino's own would see what is plain facts by now.
      serializers: { err: (error: unknown) => error },
      mixin: () => ({ request: this.requestId, caller: this.caller }),
    };
    this.stream = stream ?? pino.destination({ dest: 1, sync: false });
    this.pino = pino(options, this.stream);
  }

  /** Whatever is logged within `work` carries the id. */
  within<T>(requestId: string, work: () => T): T {
    return REQUEST.run({ log: this, context: { id: requestId } }, work);
  }

  private get request(): RequestContext | undefined {
    const store = REQUEST.getStore();
    return store?.log === this ? store.context : undefined;
  }

  get requestId(): string | undefined {
    return this.request?.id;
  }

  /** The name of the API key in whose hands this request is; nothing for other servers and for workers. */
  get caller(): string | undefined {
    return this.request?.caller;
  }

  /** From here on the request is known to come from the holder of that API key. */
  calledBy(apiKey: string): void {
    const context = this.request;
    if (context) context.caller = apiKey;
  }

  info(entry: Entry, says: string): void {
    this.pino.info(entry, says);
  }

  warn(entry: Entry | string, says?: string): void {
    this.write('warn', entry, says);
  }

  error(entry: Entry | string, says?: string): void {
    this.write('error', entry, says);
  }

  debug(entry: Entry | string, says?: string): void {
    this.write('debug', entry, says);
  }

  /** For Nest, whose own messages are of interest to developers only. */
  log(message: unknown, context?: unknown): void {
    this.pino.debug({ event: 'nest', context: String(context) }, String(message));
  }

  verbose(message: unknown): void {
    this.pino.trace({ event: 'nest' }, String(message));
  }

  fatal(entry: Entry | string, says?: string): void {
    this.write('fatal', entry, says);
  }

  /** Writes out what is buffered; before the process ends. */
  flush(): void {
    this.stream.flushSync?.();
  }

  private write(level: 'warn' | 'error' | 'debug' | 'fatal', entry: Entry | string, says?: string): void {
    if (typeof entry === 'string') this.pino[level]({ event: 'nest', context: says }, entry);
    else this.pino[level](entry, says);
  }
}
