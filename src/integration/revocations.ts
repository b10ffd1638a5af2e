import type { Host } from '../kernel/address.js';

interface Revocation {
  readonly said: Date;
  /** From when on nothing that was said before it passes for fresh. */
  readonly until: Date;
}

const MOST_PER_DOMAIN = 10_000;

/**
 * What was revoked a moment ago, so that nothing that was signed before brings a share back, whether it was delayed on its
 * way or is shown again by somebody. Two instances that share records do not share this. OCM-IP, Revoking a Share
 */
export class Revocations {
  private readonly domains = new Map<Host, Map<string, Revocation>>();

  constructor(private readonly now: () => Date) {}

  note(domain: Host, providerId: string, revocation: Revocation): void {
    const held = this.domains.get(domain) ?? new Map<string, Revocation>();
    held.delete(providerId);
    this.domains.set(domain, held.set(providerId, revocation));
    for (const [oldest, { until }] of held) {
      if (until > this.now() && held.size <= MOST_PER_DOMAIN) return;
      held.delete(oldest);
    }
  }

  /** Whether the share was revoked after this was said. */
  overtook(domain: Host, providerId: string, said: Date): boolean {
    const revocation = this.domains.get(domain)?.get(providerId);
    return revocation !== undefined && said < revocation.said;
  }
}
