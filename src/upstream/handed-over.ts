import { Fault } from '../kernel/fault.js';
import { publicTarget } from '../ocm/public-target.js';
import { endToEnd, pairs, type RawFields, valuesOf } from './passed-fields.js';
import { isBelow, OUR_END_POINT } from './upstream-path.js';

/** A request to our domain that the file platform took, as it would have arrived here. */
export interface HandedOver {
  readonly method: string;
  /** Path and query, as we would have had them in the request line. */
  readonly url: string;
  /** Names in lower case; what came more than once has a list. */
  readonly fields: Readonly<Record<string, string | string[]>>;
}

const METHOD = 'covey-method';
const TARGET = 'covey-target';
/** What stands before the name of each field of the original. */
const FIELD = 'covey-field-';

/** Of these a second one could be read by one of us and the first by the other. */
const ONCE = ['host', 'content-type', 'content-length', 'authorization'];
/** Who is nearest to the client writes these, which is not the file platform's caller. */
const OF_PROXIES = /^(?:forwarded$|x-forwarded-|expect$)/;

/**
 * The request that is told of in the fields of another: `Covey-Method`, `Covey-Target` with the path and query of its
 * request line, and each of its own fields as `Covey-Field-<name>`. Fields of the hop are left out.
 * Throws `handover.malformed`, and `request.misdirected` when it was made to another host than our public one.
 * @param length of the body that came with it, in bytes
 */
export function handedOver(raw: RawFields, length: number, publicUrl: string): HandedOver {
  const method = only(raw, METHOD);
  const target = only(raw, TARGET);
  const original = endToEnd(
    pairs(raw).flatMap(([name, value]) =>
      name.toLowerCase().startsWith(FIELD) ? [name.slice(FIELD.length).toLowerCase(), value] : [],
    ),
  );
  const fields: Record<string, string | string[]> = {};
  for (const name of new Set(pairs(original).map(([given]) => given))) {
    const values = valuesOf(original, name);
    if (OF_PROXIES.test(name)) continue;
    if (ONCE.includes(name) && values.length > 1) throw malformed(`${name} is there twice`);
    fields[name] = values.length === 1 ? values[0]! : values;
  }
  const said = fields['content-length'];
  if (said !== undefined && said !== String(length)) throw malformed('the body has not the length that it had');
  const base = new URL(publicUrl).pathname.replace(/\/+$/, '');
  if (!isBelow(base + OUR_END_POINT, target)) throw malformed(`the target is not plain, or not below our endPoint`);
  const url = target.slice(base.length);
  publicTarget(publicUrl, { host: String(fields['host'] ?? ''), url });
  return { method, url, fields };
}

function only(raw: RawFields, name: string): string {
  const [value, second] = valuesOf(raw, name);
  if (value === undefined || second !== undefined) throw malformed(`one ${name} is needed`);
  return value;
}

const malformed = (reason: string): Fault => new Fault('handover.malformed', { reason });
