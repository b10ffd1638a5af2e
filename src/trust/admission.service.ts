import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { Metrics } from '../platform/metrics.service.js';
import { ProvidersService } from './providers.service.js';
import type { Standing } from './policy.js';
import { Trust } from './trust.service.js';

/** When a server that is held is to come again, in seconds: soon enough after somebody decided. */
const COME_AGAIN_SECONDS = 900;

/** At the door: whether what another server sends is taken at all. */
@Injectable()
export class Admission {
  constructor(
    private readonly trust: Trust,
    private readonly providers: ProvidersService,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Before it is proved who asks. Who waits for approval has to prove it, so that nobody is put before an operator by
   * others; of anybody else who is not let in nothing is read, not even the keys. Throws `trust.held`, `trust.refused`.
   */
  async claimed(peer: Host): Promise<void> {
    const standing = await this.trust.standing(peer);
    if (standing.reason !== 'waiting') this.assertAllowed(peer, standing);
  }

  /** Once it is proved. Throws as `claimed`. */
  async proved(peer: Host): Promise<void> {
    const standing = await this.trust.standing(peer);
    if (standing.reason === 'waiting') await this.providers.asks(peer);
    this.assertAllowed(peer, standing);
  }

  private assertAllowed(peer: Host, { kind, reason }: Standing): void {
    if (kind === 'allowed') return;
    const code = kind === 'held' ? 'trust.held' : 'trust.refused';
    this.metrics.providerTurnedAway(code, reason);
    throw new Fault(code, { peer, ...(kind === 'held' ? { retryAfter: COME_AGAIN_SECONDS } : {}) });
  }
}
