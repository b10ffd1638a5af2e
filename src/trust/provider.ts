import type { Standing } from './policy.js';

/** What people decided about a provider and set for it; nothing where nobody did. */
export interface ProviderDecisions {
  /** When it first wanted to federate, or was wanted, without being known. */
  readonly askedAt: Date | null;
  readonly decision: 'approved' | 'refused' | null;
  readonly decidedAt: Date | null;
  readonly why: string | null;
  readonly quarantinedAt: Date | null;
  readonly quarantineWhy: string | null;
  /** Whether old wire forms are taken. D-02 */
  readonly compatible: boolean | null;
  /** Of the usual limits. */
  readonly limitPercent: number | null;
}

export interface ProviderPicture {
  readonly host: string;
  readonly standing: Standing;
  /** As a list calls it. */
  readonly name?: string;
  readonly row?: ProviderDecisions;
}
