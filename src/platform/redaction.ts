import { FAULTS, Fault } from '../kernel/fault.js';

const SECRET = '[secret]';
const DEEPEST = 8;
const LONGEST_LIST = 50;
const LONGEST_TEXT = 2000;

/** Fields of these names, however they are written, hold what must not be logged. */
const SECRET_NAMES = new Set(
  (
    'authorization cookie setcookie password passphrase secret sharedsecret clientsecret clientassertion accesstoken ' +
    'refreshtoken idtoken token apikey privatekey key keys sealed sealingkey d k'
  ).split(' '),
);
/** Bearer credentials, JWTs and API keys give themselves away. */
const SECRET_TEXT = /\b(?:Bearer|Basic) +[^\s"',]+|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bcovey_[\w-]{20,}/gi;
/** A fault of the catalogue, an error of the system or of PostgreSQL; any other `code` may be an authorization code. */
const isPublicCode = (value: unknown): boolean =>
  typeof value === 'string' && (value in FAULTS || /^(?:[A-Z][A-Z0-9_]{3,40}|[0-9A-Z]{5})$/.test(value));

const isSecret = (name: string, value: unknown): boolean => {
  const bare = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return SECRET_NAMES.has(bare) || (bare === 'code' && typeof value === 'string' && !isPublicCode(value));
};

/** A net under the rule that secrets are not logged: what may be written, of something that was given to the log. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.slice(0, LONGEST_TEXT).replaceAll(SECRET_TEXT, SECRET);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth > DEEPEST) return '[deep]';
  if (value instanceof Date) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Error) return redacted(errorFacts(value), depth + 1);
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST).map((item) => redacted(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecret(name, item) ? SECRET : redacted(item, depth + 1)]),
  );
}

function errorFacts(error: Error): object {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(isPublicCode(code) ? { code } : {}),
    ...(error instanceof Fault ? { facts: error.facts } : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  };
}
