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
    return this.housemate ? this.housemate.joinDiscovery(this.ownDiscovery()) : this.ownDiscovery();
  }

  async jwkSet(): Promise<JwkSet> {
    return this.housemate ? this.housemate.joinJwkSet(this.ownJwkSet()) : this.ownJwkSet();
  }

  /** Without the housemate. */
  ownDiscovery(): OwnDiscovery {
    const { endPoint, providerName: provider } = this.config;
    return discoveryDocument({ endPoint, provider, tokenEndPoint: this.delegation.tokenServer?.tokenEndPoint });
  }

  /** Without the housemate. */
  ownJwkSet(): JwkSet {
    return { keys: [...this.keys.published.keys, ...(this.delegation.tokenServer?.keys ?? [])] };
  }
}
