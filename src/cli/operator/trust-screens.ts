import type { z } from 'zod';
import type { providerAnswer, trustAnswer } from '../../console/trust-answers.js';
import { ago, counted, facts, table } from './terminal.js';

export type TrustAnswer = z.output<typeof trustAnswer>;
export type Provider = z.output<typeof providerAnswer>;

const POLICIES: Readonly<Record<TrustAnswer['policy'], string>> = {
  open: 'open: everybody who is not denied',
  listed: 'listed: who is on a list or was approved',
  'approve-first': 'approve-first: who is on a list or was approved; others wait for that',
};

const REASONS: Readonly<Record<Provider['reason'], string>> = {
  own: 'this server itself',
  open: 'the policy is open',
  'allow-list': 'allowed by a pattern',
  approved: 'approved',
  listed: 'on a list',
  quarantined: 'in quarantine',
  'deny-list': 'denied by a pattern',
  refused: 'refused',
  'not-listed': 'on no list',
  waiting: 'waits for approval',
  'lists-unread': 'on no list, but one was never read so far',
};

export function trust({ policy, lists, rules }: TrustAnswer, now: Date): string {
  const listRows = lists.map(({ source, federation, providers: count, skipped, readAt, failure }) => [
    source,
    federation ?? '',
    counted(count, 'provider'),
    skipped > 0 ? `${skipped} skipped` : '',
    readAt ? ago(readAt, now) : 'never',
    failure ?? '',
  ]);
  const ruleRows = rules.map(({ effect, pattern, why, madeAt }) => [
    effect,
    pattern,
    madeAt ? ago(madeAt, now) : 'configured',
    why ?? '',
  ]);
  return [
    POLICIES[policy],
    ...(listRows.length > 0 ? ['', table(['LIST', 'FEDERATION', 'NAMES', '', 'READ', 'FAILS'], listRows)] : []),
    ...(ruleRows.length > 0 ? ['', table(['', 'PATTERN', 'SINCE', 'WHY'], ruleRows)] : []),
  ].join('\n');
}

export function providers(all: readonly Provider[], now: Date): string {
  if (all.length === 0) return 'no providers';
  return table(
    ['PROVIDER', 'STANDING', 'BECAUSE', 'SINCE', 'WHY'],
    all.map((one) => [one.provider, one.standing, because(one), since(one, now), one.quarantineWhy ?? one.why ?? '']),
  );
}

export function provider(one: Provider, now: Date): string {
  const { provider: host, name, compatible, limitPercent, why, quarantineWhy } = one;
  const told: (readonly [string, string | undefined])[] = [
    ['name', name],
    ['standing', `${one.standing}: ${because(one)}`],
    ['since', since(one, now)],
    ['why', why],
    ['quarantine', quarantineWhy],
    ['old forms', compatible === undefined ? undefined : compatible ? 'are taken' : 'are not taken'],
    ['limits', limitPercent === undefined ? undefined : `${limitPercent} % of the usual ones`],
  ];
  const lines = told.flatMap(([label, value]) => (value ? [[label, value] as const] : []));
  return [host, ...facts(lines)].join('\n');
}

const because = ({ reason, by }: Provider): string =>
  by === undefined ? REASONS[reason] : `${REASONS[reason]}, ${by}`;

function since({ quarantinedAt, decidedAt, askedAt }: Provider, now: Date): string {
  const at = quarantinedAt ?? decidedAt ?? askedAt;
  return at ? ago(at, now) : '';
}
