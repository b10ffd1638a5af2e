import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { ShareRecord } from './share-record.js';

/**
 * Where provisioned shares are kept, by sender domain and `providerId` together: two servers may choose the same
 * `providerId`. An adopter with several processes puts a database behind it. OCM-IP, Share Record
 */
export interface ShareRecords {
  /** What was put last, and not removed. Whether it has expired is judged by who asks. */
  find(domain: Host, providerId: string): Promise<ShareRecord | undefined>;
  /** In place of an earlier one of the same key. May throw `provision.full`, which the sender sees as 503. */
  put(record: ShareRecord): Promise<void>;
  /** Returns what was there. */
  remove(domain: Host, providerId: string): Promise<ShareRecord | undefined>;
}

const MOST_PER_DOMAIN = 10_000;

/** In memory, so many for each pairing (I-011). What has expired makes room for what is new (I-055). */
export class MemoryRecords implements ShareRecords {
  private readonly domains = new Map<Host, Map<string, ShareRecord>>();

  constructor(
    private readonly now: () => Date,
    private readonly mostPerDomain = MOST_PER_DOMAIN,
  ) {}

  find(domain: Host, providerId: string): Promise<ShareRecord | undefined> {
    return Promise.resolve(this.domains.get(domain)?.get(providerId));
  }

  async put(record: ShareRecord): Promise<void> {
    const { domain, providerId } = record;
    const held = this.domains.get(domain) ?? new Map<string, ShareRecord>();
    if (held.size >= this.mostPerDomain && !held.has(providerId)) this.forgetExpired(held);
    if (held.size >= this.mostPerDomain && !held.has(providerId)) {
      throw new Fault('provision.full', { domain, most: this.mostPerDomain });
    }
    this.domains.set(domain, held.set(providerId, record));
    return Promise.resolve();
  }

  remove(domain: Host, providerId: string): Promise<ShareRecord | undefined> {
    const held = this.domains.get(domain);
    const found = held?.get(providerId);
    held?.delete(providerId);
    return Promise.resolve(found);
  }

  private forgetExpired(held: Map<string, ShareRecord>): void {
    const at = this.now();
    for (const [providerId, record] of held) if (hasExpired(record, at)) held.delete(providerId);
  }
}

/** Whether nothing may be served for the share any more. OCM-IP, Lifecycle, I-055 */
export const hasExpired = ({ expiration }: { readonly expiration?: number | undefined }, at: Date): boolean =>
  expiration !== undefined && expiration * 1000 <= at.getTime();
