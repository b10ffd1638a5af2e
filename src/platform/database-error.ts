import { type Fault, isFault } from '../kernel/fault.js';

/** Walks from an error to what caused it, as TypeORM and pg wrap them. */
function* chain(error: unknown): Iterable<Record<string, unknown>> {
  for (let depth = 0; depth < 8 && typeof error === 'object' && error !== null; depth++) {
    const record = error as Record<string, unknown>;
    yield record;
    error = record['driverError'] ?? record['cause'];
  }
}

/** The five characters by which PostgreSQL names an error, if it is one of PostgreSQL. */
export function sqlState(error: unknown): string | undefined {
  for (const { code } of chain(error)) if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code;
  return undefined;
}

/** Class 08 (connection), 25P03 (idle in a transaction for too long), class 53 (no room, no memory, too many), 57P01 to 57P05 (shut down, starting, idle), 58000 (system). */
const LOST_STATE = /^(08...|25P03|53...|57P0[1-5]|58000)$/;
const LOST_SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNABORTED',
]);
/** What a connection does, as opposed to a file. */
const OF_SOCKETS = new Set(['connect', 'read', 'write', 'getaddrinfo']);
/** pg gives these no code. */
const LOST_WORDS =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed|Cannot use a pool after|Driver not Connected|Connection ended)/;

/**
 * Whether an error that came out of work with the database says that it could not be reached or has no room, as opposed to
 * having refused something. Connections to others break alike, so nothing else may be asked about here; a fault has its
 * name already.
 */
export function isLostConnection(error: unknown): boolean {
  if (isFault(error)) return false;
  for (const { code, message, syscall } of chain(error)) {
    if (typeof code === 'string' && LOST_STATE.test(code)) return true;
    if (typeof code === 'string' && LOST_SOCKET.has(code) && OF_SOCKETS.has(String(syscall))) return true;
    if (typeof message === 'string' && LOST_WORDS.test(message)) return true;
  }
  return false;
}

/** The loss of the database behind an error, whoever wrapped it. */
export function databaseLoss(error: unknown): Fault | undefined {
  for (const link of chain(error)) if (isFault(link, 'database.unavailable')) return link;
  return undefined;
}
