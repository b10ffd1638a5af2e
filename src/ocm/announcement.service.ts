import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config.js';
import { Delegation } from './delegation.provider.js';
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
    private readonly delegation: Delegation,
  ) {}

  shareWith(housemate: Housemate): void {
    this.housemate = housemate;
  }

  async discovery(): Promise<object> {
    const { endPoint, providerName: provider } = this.config;
    const own = discoveryDocument({ endPoint, provider, tokenEndPoint: this.delegation.tokenServer?.tokenEndPoint });
    return this.housemate ? this.housemate.joinDiscovery(own) : own;
  }

  async jwkSet(): Promise<JwkSet> {
    const own = { keys: [...this.keys.published.keys, ...(this.delegation.tokenServer?.keys ?? [])] };
    return this.housemate ? this.housemate.joinJwkSet(own) : own;
  }
}
