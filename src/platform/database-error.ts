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
/** pg gives these no code. */
const LOST_WORDS =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed|Cannot use a pool after|Driver not Connected|Connection ended)/;

/** Whether the database could not be reached or has no room, as opposed to having refused something. */
export function isLostConnection(error: unknown): boolean {
  for (const { code, message, syscall } of chain(error)) {
    if (typeof code === 'string' && LOST_STATE.test(code)) return true;
    if (typeof code === 'string' && typeof syscall === 'string' && LOST_SOCKET.has(code)) return true;
    if (typeof message === 'string' && LOST_WORDS.test(message)) return true;
  }
  return false;
}
