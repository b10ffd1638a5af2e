import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config.js';
import { discoveryDocument, type OwnDiscovery } from './discovery.js';
import type { JwkSet } from './jwk-set.js';
import { ServerKeysService } from './server-keys.service.js';

/** Somebody else of the same domain, who has things to say in the same documents. */
export interface Housemate {
  joinDiscovery(own: OwnDiscovery): Promise<object>;
  joinJwkSet(own: JwkSet): Promise<JwkSet>;
}

/** What this server says of itself to others, together with whoever shares its domain. */
@Injectable()
export class Announcement {
  private housemate: Housemate | undefined;

  constructor(
    private readonly config: Config,
    private readonly keys: ServerKeysService,
  ) {}

  shareWith(housemate: Housemate): void {
    this.housemate = housemate;
  }

  async discovery(): Promise<object> {
    const own = discoveryDocument({ endPoint: this.config.endPoint, provider: this.config.providerName });
    return this.housemate ? this.housemate.joinDiscovery(own) : own;
  }

  async jwkSet(): Promise<JwkSet> {
    return this.housemate ? this.housemate.joinJwkSet(this.keys.published) : this.keys.published;
  }
}
