import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { isFault } from '../kernel/fault.js';
import { Announcement, type Housemate } from '../ocm/announcement.service.js';
import type { OwnDiscovery } from '../ocm/discovery.js';
import { type JwkSet, parseJwkSet } from '../ocm/jwk-set.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { jointDiscovery, jointJwkSet, type Platform, readPlatform } from './joint-documents.js';
import { UpstreamClient } from './upstream.client.js';

/** As long as others may keep what we publish. */
const FRESH_MS = 300_000;
const AGAIN_MS = 15_000;

/** At the path of the platform, or of its host. The second is where servers of OCM 1.0 had it. */
const DISCOVERY = ['/.well-known/ocm', '/ocm-provider/'];
/** Where servers before core -07 have their keys. D-05 */
const OLD_JWKS = '/.well-known/jwks.json';

interface Known {
  readonly platform: Platform;
  readonly keys: JwkSet;
}

/**
 * What the file platform says of itself, read now and then. What was good last is kept while it cannot be read; whoever
 * asks does not wait for it, but for the first time.
 */
@Injectable()
export class PlatformDocuments implements Housemate {
  private known: Known | undefined;
  private dueAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly client: UpstreamClient,
    private readonly log: Log,
    announcement: Announcement,
  ) {
    if (config.upstream !== undefined) announcement.shareWith(this);
  }

  async joinDiscovery(own: OwnDiscovery): Promise<object> {
    const known = await this.current();
    return known ? jointDiscovery(own, known.platform) : own;
  }

  async joinJwkSet(own: JwkSet): Promise<JwkSet> {
    const known = await this.current();
    return known ? jointJwkSet(own, known.keys) : own;
  }

  /** Nothing as long as it could never be read. */
  async platform(): Promise<Platform | undefined> {
    return (await this.current())?.platform;
  }

  private async current(): Promise<Known | undefined> {
    const now = this.clock.now().getTime();
    if (!this.reading && now >= this.dueAt) {
      this.reading = this.refresh(now).finally(() => (this.reading = undefined));
    }
    if (!this.known) await this.reading;
    return this.known;
  }

  private async refresh(now: number): Promise<void> {
    try {
      const platform = await this.readPlatform();
      const keys = await this.readKeys(platform);
      if (platform) this.known = { platform, keys };
      this.dueAt = now + (platform ? FRESH_MS : AGAIN_MS);
    } catch (error) {
      this.dueAt = now + AGAIN_MS;
      const code = isFault(error) ? error.code : 'internal';
      this.log.warn(
        { event: 'upstream.unread', code, err: error },
        'the discovery document of the file platform cannot be read',
      );
    }
  }

  private async readPlatform(): Promise<Platform | undefined> {
    const hosts = [this.config.publicUrl, this.config.upstream!].map((address) => new URL(address).host);
    const base = new URL(this.config.upstream!).pathname.replace(/\/+$/, '');
    for (const path of new Set([...DISCOVERY.map((place) => base + place), ...DISCOVERY])) {
      const body = await this.client.read(path);
      if (body !== undefined) return readPlatform(body, hosts);
    }
    return undefined;
  }

  /** Those from before when they cannot be read now: a platform without keys is worse than one with old keys. */
  private async readKeys(platform: Platform | undefined): Promise<JwkSet> {
    try {
      const body = platform && (await this.client.read(platform.jwks ?? OLD_JWKS));
      return body === undefined ? { keys: [] } : parseJwkSet(body);
    } catch (error) {
      if (!isFault(error)) throw error;
      this.log.warn({ event: 'upstream.unread', code: error.code, err: error }, 'its keys cannot be read');
      return this.known?.keys ?? { keys: [] };
    }
  }
}
