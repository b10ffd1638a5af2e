import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import type { OperatorRequest } from './operator-arguments.js';
import { OPERATOR_USAGE, operatorArguments } from './operator-arguments.js';
import { screen } from './screens.js';

/** Exit codes: 0 done, 1 refused or not found, 64 not understood, 69 the service was not reached or not let in. */
const REFUSED = 1;
const NOT_UNDERSTOOD = 64;
const UNAVAILABLE = 69;

export interface ApiAnswer {
  readonly status: number;
  /** JSON where the answer is JSON, else text. */
  readonly body: unknown;
}

export interface OperatorSurroundings {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly send: (url: string, key: string, request: OperatorRequest) => Promise<ApiAnswer>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Asks the running service over its REST interface and shows the answer. Returns the exit code. */
export async function operator(args: readonly string[], around: OperatorSurroundings): Promise<number> {
  const { clock, environment, send, out, err } = around;
  const given = operatorArguments(args);
  if (!given) {
    err(OPERATOR_USAGE);
    return NOT_UNDERSTOOD;
  }
  const key = apiKey(environment);
  if (key === undefined) {
    err(`No API key: set COVEY_API_KEY or COVEY_API_KEY_FILE, or run this where the data folder is.`);
    return UNAVAILABLE;
  }
  const url = given.url ?? serviceUrl(environment);
  const answer = await send(url, key, given.request).catch((error: unknown) => String(error));
  if (typeof answer === 'string') {
    err(`Covey does not answer on ${url}: ${answer}`);
    return UNAVAILABLE;
  }
  if (answer.status === 401) {
    err(`Covey on ${url} does not know this API key.`);
    return UNAVAILABLE;
  }
  if (answer.status >= 400) {
    err(`refused (${answer.status}): ${typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)}`);
    return REFUSED;
  }
  const shown = given.json && typeof answer.body !== 'string';
  out(shown ? JSON.stringify(answer.body, undefined, 2) : screen(given.request.screen, answer.body, clock.now()));
  return 0;
}

function apiKey(environment: OperatorSurroundings['environment']): string | undefined {
  if (environment['COVEY_API_KEY']) return environment['COVEY_API_KEY'];
  const file = environment['COVEY_API_KEY_FILE'] ?? join(environment['COVEY_DATA'] ?? './data', 'api-key');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** As `COVEY_LISTEN` says; a wildcard is reached on this machine. */
function serviceUrl(environment: OperatorSurroundings['environment']): string {
  const listen = environment['COVEY_LISTEN'] ?? '127.0.0.1:8400';
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  const host = listen.slice(0, -port.length - 1);
  return `http://${['', '0.0.0.0', '[::]'].includes(host) ? '127.0.0.1' : host}:${port}`;
}
