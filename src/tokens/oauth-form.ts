import type { z } from 'zod';
import { Fault } from '../kernel/fault.js';

/**
 * The parameters of a request to an OAuth endpoint. One that is given twice is an array by now, and refused; unknown ones
 * are ignored. RFC 6749 section 3.2. Throws `token.request-malformed`.
 */
export function oauthForm<T>(form: z.ZodType<T>, contentType: string | undefined, body: unknown): T {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType ?? '')) {
    throw new Fault('token.request-malformed', { fields: ['content-type'] });
  }
  const read = form.safeParse(body);
  if (read.success) return read.data;
  // Names of fields only: the values hold a secret.
  throw new Fault('token.request-malformed', { fields: read.error.issues.map(({ path }) => path.join('.')) });
}
