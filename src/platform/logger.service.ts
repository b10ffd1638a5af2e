import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, type LoggerService } from '@nestjs/common';
import pino, { type DestinationStream, type Logger } from 'pino';
import { FAULTS, Fault } from '../kernel/fault.js';

/** What happened, in words that can be searched for; `err` is an Error. Never a secret. */
export interface Entry {
  readonly event: string;
  readonly err?: unknown;
  readonly [fact: string]: unknown;
}

/** A last net under the rule that secrets are not logged: fields of these names are blanked wherever they are shallow. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'sharedSecret',
  'client_secret',
  'clientSecret',
  'code',
  'access_token',
  'accessToken',
  'refresh_token',
  'token',
  'apiKey',
  'api_key',
  'privateKey',
  'key',
  'd',
];
const redact = {
  paths: SECRET_FIELDS.filter((field) => field !== 'code').flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
  censor: '[secret]',
};

/** `code` of a fault is one of the catalogue; any other `code` may be an authorization code. */
const isPublicCode = (value: unknown) =>
  typeof value === 'string' && (value in FAULTS || /^[A-Z][A-Z0-9_]{2,40}$|^[0-9A-Z]{5}$/.test(value));

function errorEntry(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'not an Error', type: typeof error };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message.slice(0, 2000),
    ...(isPublicCode(code) ? { code } : {}),
    ...(error instanceof Fault ? { facts: error.facts } : { stack: error.stack?.slice(0, 4000) }),
    ...(error.cause === undefined ? {} : { cause: errorEntry(error.cause) }),
  };
}

/** JSON lines on stdout, each with the id of the request it belongs to. */
@Injectable()
export class Log implements LoggerService {
  private readonly request = new AsyncLocalStorage<string>();
  private readonly pino: Logger;
  private readonly stream: DestinationStream & { flushSync?: () => void };

  constructor(level: string, stream?: DestinationStream) {
    const options = {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: errorEntry },
      redact,
      mixin: () => ({ request: this.request.getStore() }),
    };
    this.stream = stream ?? pino.destination({ dest: 1, sync: false });
    this.pino = pino(options, this.stream);
  }

  /** Whatever is logged within `work` carries the id. */
  within<T>(requestId: string, work: () => T): T {
    return this.request.run(requestId, work);
  }

  get requestId(): string | undefined {
    return this.request.getStore();
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
