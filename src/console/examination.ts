export const CHECK_STATES = ['ok', 'warning', 'wrong'] as const;

/** Something that was looked at, and what was found. */
export interface Check {
  readonly name: string;
  readonly state: (typeof CHECK_STATES)[number];
  readonly says: string;
}

const ok = (name: string, says: string): Check => ({ name, state: 'ok', says });
const warning = (name: string, says: string): Check => ({ name, state: 'warning', says });
const wrong = (name: string, says: string): Check => ({ name, state: 'wrong', says });

/** Signatures are refused that are off by more than a few minutes. */
const MOST_SKEW_MS = 60_000;

/** What others read of us, and what we would have them read. `found` is the code of the fault when they read nothing. */
export function discoveryCheck(
  found: string | { readonly endPoint: string; readonly jwksUri?: string | undefined },
  meant: { readonly endPoint: string; readonly jwksUri: string },
): Check {
  const name = 'discovery';
  if (typeof found === 'string')
    return wrong(name, `our discovery document cannot be read from here as others do: ${found}`);
  if (found.endPoint !== meant.endPoint)
    return wrong(name, `others are told ${found.endPoint} instead of ${meant.endPoint}`);
  if (found.jwksUri !== meant.jwksUri) return wrong(name, `others look for our keys at ${found.jwksUri ?? 'no place'}`);
  return ok(name, `others find ${meant.endPoint}`);
}

/** @param missing the keys that sign and that others do not find, or the fault of reading them */
export const publishedKeysCheck = (missing: string | readonly string[]): Check => {
  const name = 'keys';
  if (typeof missing === 'string') return wrong(name, `our keys cannot be read: ${missing}`);
  return missing.length === 0
    ? ok(name, 'others find the keys that we sign with')
    : wrong(name, `others do not find ${missing.join(' and ')}`);
};

/** @param answer the status with which it answered a signed question about a group that does not exist, or a fault */
export function peerCheck(peer: string, answer: string | number): Check {
  const name = `peer ${peer}`;
  if (typeof answer === 'string') return warning(name, `does not answer: ${answer}`);
  if (answer === 401 || answer === 403) return wrong(name, `does not accept our signature (${answer})`);
  return answer >= 500 ? warning(name, `answers with ${answer}`) : ok(name, 'accepts our signature');
}

/** By the `Date` of its answer, which has whole seconds. RFC 9110 section 6.6.1 */
export function clockCheck(peer: string, date: string | undefined, now: Date): Check | undefined {
  const skew = Date.parse(date ?? '') - now.getTime();
  if (Number.isNaN(skew)) return undefined;
  const name = `clock of ${peer}`;
  const seconds = Math.round(Math.abs(skew) / 1000);
  const says = `${seconds} s ${skew < 0 ? 'behind' : 'ahead of'} ours`;
  return Math.abs(skew) > MOST_SKEW_MS ? wrong(name, says) : ok(name, says);
}

const counted = (name: string, count: number, bad: Check['state'], one: string, none: string): Check =>
  count === 0 ? ok(name, none) : { name, state: bad, says: `${count} ${one}` };

export interface Counts {
  /** Users who lack KeyPackages that should be in stock. */
  readonly short: number;
  readonly dead: number;
  readonly drifted: number;
  /** Values that are sealed with a key that does not seal any more. */
  readonly sealedBefore: number;
  /** Webhooks that took nothing for so long that they are not tried any more. */
  readonly stopped: number;
  /** Lists of providers that could not be read at the last try. */
  readonly unread: number;
}

export const countChecks = ({ short, dead, drifted, sealedBefore, stopped, unread }: Counts): Check[] => [
  counted('key stock', short, 'warning', 'users lack KeyPackages', 'every user has KeyPackages in stock'),
  counted('letters', dead, 'wrong', 'letters are dead, and their lanes stand still', 'no letter is dead'),
  counted('groups', drifted, 'wrong', 'groups are lost here and wait to be taken in again', 'no group is lost here'),
  counted(
    'sealing',
    sealedBefore,
    'warning',
    'values wait to be sealed with the first key',
    'all is sealed with the first key',
  ),
  counted('webhooks', stopped, 'wrong', 'webhooks are stopped, and miss what happens', 'no webhook is stopped'),
  counted(
    'lists',
    unread,
    'wrong',
    'lists of providers cannot be read, and grow old',
    'no list of providers is unread',
  ),
];
