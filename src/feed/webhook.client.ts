import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { utf8 } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Network } from '../kernel/network.js';
import { configuredUrl } from '../ocm/peer-url.js';
import { addressPolicy } from '../ocm/public-ip.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { judgeAnswer, type Sent, signedHeaders } from './webhook.js';

/** Of an answer's body no more is looked at, and nothing of it counts. */
const MOST_OF_AN_ANSWER = 64 * 1024;

/** Posts webhooks. Redirects are not followed. */
@Injectable()
export class WebhookClient {
  constructor(
    private readonly network: Network,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Throws `webhook.url-refused` for what is nothing to connect to, as far as that can be told from the text. */
  requireReachable(url: string): void {
    try {
      configuredUrl(url, addressPolicy(this.config), this.config.privateTargets);
    } catch (error) {
      if (!isFault(error, 'peer.url-refused')) throw error;
      throw new Fault('webhook.url-refused', { reason: error.facts['reason'] });
    }
  }

  /** Whatever goes wrong is a value. Not within a transaction. */
  async post(url: string, id: string, payload: object, secrets: readonly Uint8Array[]): Promise<Sent> {
    const body = JSON.stringify(payload);
    const headers = {
      'content-type': 'application/json',
      ...signedHeaders({ id, at: this.clock.now(), body }, secrets),
    };
    const { peerTimeoutMs: timeoutMs } = this.config;
    try {
      const { href } = configuredUrl(url, addressPolicy(this.config), this.config.privateTargets);
      const request = {
        method: 'POST',
        url: href,
        headers,
        body: utf8(body),
        timeoutMs,
        maxBytes: MOST_OF_AN_ANSWER,
        headOnly: true,
      } as const;
      return judgeAnswer(await this.network.fetch({ ...request, configured: true }), this.clock.now());
    } catch (error) {
      if (isFault(error) && error.code.startsWith('peer.')) return { kind: 'failed', why: error.code, waitMs: 0 };
      this.log.error({ event: 'webhook.unsent', err: error }, 'a webhook could not be sent');
      return { kind: 'failed', why: 'internal', waitMs: 0 };
    }
  }
}
