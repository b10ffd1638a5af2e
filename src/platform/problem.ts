import type { ZodError } from 'zod';
import { FAULTS, Fault, type FaultCode } from '../kernel/fault.js';

/** One thing that is wrong with a body; `path` is as in `protocol.mls.members.1`. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

const MOST_ERRORS = 50;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema found wrong, as a fault. */
export function bodyFault(issues: readonly Issue[], cause?: unknown): Fault {
  const errors: FieldError[] = issues.slice(0, MOST_ERRORS).map(({ path = [], message }) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: message.slice(0, 300),
  }));
  return new Fault('body.malformed', { errors }, cause);
}

/** HTTP's own refusals, by status, in words of the catalogue. */
const BY_STATUS: Readonly<Record<number, FaultCode>> = {
  400: 'request.malformed',
  404: 'not-found',
  405: 'method.not-allowed',
  413: 'body.too-large',
  415: 'media-type.unsupported',
};

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Whatever was thrown, as a fault. `refusal` is of the framework; everything unknown is `internal`. */
export function asFault(error: unknown, refusal: Refusal | undefined): Fault {
  if (error instanceof Fault) return error;
  if (isZodError(error)) return bodyFault(error.issues, error);
  const code = refusal && BY_STATUS[refusal.status];
  // Its message quotes the whole URL, and a query may hold what must not be logged.
  if (code === 'not-found') return new Fault(code);
  if (code) return new Fault(code, { reason: refusal.message.slice(0, 300) }, error);
  return new Fault('internal', {}, error);
}

const isZodError = (error: unknown): error is ZodError =>
  error instanceof Error && error.name === 'ZodError' && Array.isArray((error as { issues?: unknown }).issues);

/** Of faults of ours nothing is told but an id that finds them in the log. */
const isOurs = (fault: Fault) => fault.status === 500;

/** For our own interface. RFC 9457 */
export function problemDetails(fault: Fault, requestId: string, instance: string): object {
  return {
    ...(isOurs(fault) ? {} : fault.facts),
    type: `urn:covey:${fault.code}`,
    title: FAULTS[fault.code].says,
    status: fault.status,
    code: fault.code,
    detail: detailOf(fault),
    instance,
    request: requestId,
  };
}

/** For people: what is wrong with which field, or the reason, or what the code says. */
export function detailOf({ code, facts }: Fault): string {
  const errors = facts['errors'] as readonly FieldError[] | undefined;
  const listed = errors?.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  const reason = facts['reason'];
  return listed ?? (typeof reason === 'string' ? reason : FAULTS[code].says);
}

/** For other OCM servers. OCM core, error answers */
export function ocmError(fault: Fault, requestId: string): object {
  const errors = fault.facts['errors'] as readonly FieldError[] | undefined;
  return {
    ...(isOurs(fault) ? {} : fault.facts),
    message: fault.code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_'),
    code: fault.code,
    ...(errors && {
      validationErrors: errors.map(({ path, message }) => ({ name: path, message })),
      errors: undefined,
    }),
    request: requestId,
  };
}
