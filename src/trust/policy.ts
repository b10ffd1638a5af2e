import { matches, type ProviderPattern } from '../kernel/provider-pattern.js';
import type { Config } from '../platform/config.js';

/** `open`: everybody. `listed`: who is on a list. `approve-first`: who is on a list or was approved; others wait. */
export type Policy = Config['trustPolicy'];

/** Why a provider stands as it does, for the operator and the log. Never told to the provider. */
export const REASONS = [
  'own',
  'open',
  'allow-list',
  'approved',
  'listed',
  'quarantined',
  'deny-list',
  'refused',
  'not-listed',
  'waiting',
  'lists-unread',
] as const;
export type Reason = (typeof REASONS)[number];

/** `held`: nothing goes in or out for now, and what waits is kept. `refused`: until somebody decides otherwise. */
export interface Standing {
  readonly kind: 'allowed' | 'held' | 'refused';
  readonly reason: Reason;
  /** The pattern or the list that decided. */
  readonly by?: string;
}

/** What people decided about one provider. */
export interface Decisions {
  readonly decision: 'approved' | 'refused' | null;
  readonly quarantined: boolean;
}

export interface PolicyFacts {
  readonly policy: Policy;
  readonly deny: readonly ProviderPattern[];
  readonly allow: readonly ProviderPattern[];
  /** The list that names the provider. */
  readonly listedBy: string | undefined;
  /** A list is configured that was never read so far, so that nobody can say who is on it. */
  readonly unread: boolean;
  readonly decided: Decisions | undefined;
}

/**
 * How a provider stands. Quarantine comes first, then what denies, then what allows, then the lists, then the policy: deny
 * wins over everything that allows, and a quarantine is kinder than a denial, since it keeps what waits.
 */
export function judgeProvider(host: string, facts: PolicyFacts): Standing {
  const { policy, deny, allow, listedBy, unread, decided } = facts;
  if (decided?.quarantined) return { kind: 'held', reason: 'quarantined' };
  const denied = deny.find((pattern) => matches(pattern, 'deny', host));
  if (denied) return { kind: 'refused', reason: 'deny-list', by: denied.text };
  if (decided?.decision === 'refused') return { kind: 'refused', reason: 'refused' };
  if (decided?.decision === 'approved') return { kind: 'allowed', reason: 'approved' };
  const allowed = allow.find((pattern) => matches(pattern, 'allow', host));
  if (allowed) return { kind: 'allowed', reason: 'allow-list', by: allowed.text };
  if (listedBy !== undefined) return { kind: 'allowed', reason: 'listed', by: listedBy };
  if (policy === 'open') return { kind: 'allowed', reason: 'open' };
  if (policy === 'approve-first') return { kind: 'held', reason: 'waiting' };
  return unread ? { kind: 'held', reason: 'lists-unread' } : { kind: 'refused', reason: 'not-listed' };
}
