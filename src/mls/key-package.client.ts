import { Inject, Injectable } from '@nestjs/common';
import { hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { PeerClient } from '../ocm/peer.client.js';
import { Config } from '../platform/config.js';
import { parseKeyPackageAnswer } from './key-package-answer.js';
import { checkKeyPackage, writeKeyPackage } from './key-package.js';
import { KeyPackagesService } from './key-packages.service.js';
import type { Suite } from './suite.js';
import { SUITE } from './suite.provider.js';

/** Fetches the KeyPackage of a user who is to be added. */
@Injectable()
export class KeyPackageClient {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly peers: PeerClient,
    private readonly keyPackages: KeyPackagesService,
    @Inject(SUITE) private readonly suite: Suite,
  ) {}

  /**
   * A checked KeyPackage of the user, from the user's home server, in an answer that it has signed (OCM-MLS R-012,
   * Not within a transaction. Throws `peer.*`, `key-package.none`, `key-package.refused` with
   * `retry`, and what the first of the KeyPackages is refused with when none is good.
   */
  async fetch(userId: OcmAddress): Promise<Uint8Array> {
    const offered = hostOf(userId) === this.config.domain ? await this.here(userId) : await this.there(userId);
    let refusal: unknown = new Fault('key-package.none', { userId });
    for (const bytes of offered.toReversed()) {
      try {
        const asked = { userId, now: this.clock.now() };
        return writeKeyPackage(await checkKeyPackage(bytes, asked, this.suite));
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  private async here(userId: OcmAddress): Promise<Uint8Array[]> {
    const keyPackage = await this.keyPackages.handOutHere(userId);
    return keyPackage ? [keyPackage] : [];
  }

  private async there(userId: OcmAddress): Promise<Uint8Array[]> {
    const path = `/mls-key-packages?${new URLSearchParams({ userId }).toString()}`;
    const { status, body } = await this.peers.getSigned(hostOf(userId), path);
    if (status === 404) throw new Fault('key-package.none', { userId });
    if (status !== 200) throw new Fault('key-package.refused', { userId, status });
    return parseKeyPackageAnswer(body, userId);
  }
}
