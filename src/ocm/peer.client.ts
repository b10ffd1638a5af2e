import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Network, type HttpAnswer, type HttpRequest } from '../kernel/network.js';
import { utf8 } from '../kernel/bytes.js';
import { Config } from '../platform/config.js';
import { Trust } from '../trust/trust.service.js';
import type { Discovery } from './discovery.js';
import { readResponse, verifyClaim } from './http-signature.js';
import type { RequestHead } from './message-signature.js';
import { LABEL, signRequest } from './message-signing.js';
import { PeerDirectory } from './peer-directory.client.js';
import { configuredUrl, peerUrl } from './peer-url.js';
import { addressPolicy } from './public-ip.js';
import { ServerKeysService } from './server-keys.service.js';

/** Answers to what we post say little. */
const LARGEST_RECEIPT = 256 * 1024;
const NOTHING = new Uint8Array();
/** How far ahead a signature may be dated to differ from its like. */
const MOST_AHEAD_SECONDS = 30;

/**
 * Speaks with other servers; whatever it sends is signed. An answer of any status is a value; throws `peer.*` when there
 * is none, and of these `retry` says whether another try may help.
 */
@Injectable()
export class PeerClient {
  private readonly policy;
  /** Signatures of this second and later, with the second they are dated. */
  private readonly sent = new Map<string, number>();

  constructor(
    private readonly network: Network,
    private readonly directory: PeerDirectory,
    private readonly keys: ServerKeysService,
    private readonly trust: Trust,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    this.policy = addressPolicy(config);
  }

  /** Throws `peer.held` or `peer.refused`, as all that is said to a peer does, where policy says so. */
  async discovery(peer: Host): Promise<Discovery> {
    await this.trust.demand(peer);
    return this.directory.discovery(peer);
  }

  /** Posts JSON below the peer's `endPoint`. OCM-MLS */
  async post(peer: Host, path: '/notifications' | '/shares', body: Uint8Array): Promise<HttpAnswer> {
    const { endPoint } = await this.discovery(peer);
    return this.send('POST', endPoint + path, { 'content-type': 'application/json' }, body, LARGEST_RECEIPT).answer;
  }

  /** Posts JSON to a server that was paired with this one, below the URL of its pairing. OCM-IP, Integration API */
  async postTo(url: string, body: Uint8Array): Promise<HttpAnswer> {
    const target = configuredUrl(url, this.policy, this.config.privateTargets);
    return this.sendTo('POST', target, { 'content-type': 'application/json' }, body, LARGEST_RECEIPT, true).answer;
  }

  /** Posts a form to a URL that the peer named, such as its `tokenEndPoint`. OCM core section "Code Flow" */
  async postForm(peer: Host, url: string, form: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    await this.trust.demand(peer);
    const fields = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.send('POST', url, fields, utf8(new URLSearchParams(form).toString()), LARGEST_RECEIPT).answer;
  }

  /**
   * Gets what is below the peer's `endPoint`, signed both ways: OCM-MLS, D-05, D-06. An answer of success
   * that is not signed for this request by a key of the peer throws `peer.answer-unverified`; other answers are worth
   * their status only, and need no signature.
   */
  async getSigned(peer: Host, pathAndQuery: string): Promise<HttpAnswer> {
    const { endPoint } = await this.discovery(peer);
    const { head, answer: answering } = this.send(
      'GET',
      endPoint + pathAndQuery,
      {},
      NOTHING,
      this.config.peerAnswerLimit,
    );
    const answer = await answering;
    if (answer.status < 200 || answer.status > 299) return answer;
    try {
      const response = { status: answer.status, fields: answer.headers, request: head };
      const claim = readResponse(response, answer.body, LABEL, this.clock.now());
      await verifyClaim(response, claim, await this.directory.verificationKey(peer, claim.keyId));
    } catch (error) {
      if (!isFault(error) || !error.code.startsWith('signature.')) throw error;
      throw new Fault('peer.answer-unverified', { peer, reason: error.code }, error);
    }
    return answer;
  }

  private send(
    method: HttpRequest['method'],
    text: string,
    ...rest: readonly [fields: Readonly<Record<string, string>>, body: Uint8Array, maxBytes: number]
  ): { head: RequestHead; answer: Promise<HttpAnswer> } {
    return this.sendTo(method, peerUrl(text, this.policy), ...rest);
  }

  /** @param configured whether the URL is of a pairing, and no other server's word */
  private sendTo(
    method: HttpRequest['method'],
    { href: url }: URL,
    fields: Readonly<Record<string, string>>,
    body: Uint8Array,
    maxBytes: number,
    configured = false,
  ): { head: RequestHead; answer: Promise<HttpAnswer> } {
    const own = { ...fields, accept: 'application/json', 'accept-encoding': 'identity' };
    const headers = { ...own, ...this.sign({ method, targetUri: url, fields: own }, body) };
    const { peerTimeoutMs: timeoutMs } = this.config;
    const request = { method, url, headers, timeoutMs, maxBytes, configured, ...(method === 'GET' ? {} : { body }) };
    return { head: { method, targetUri: url, fields: headers }, answer: this.network.fetch(request) };
  }

  /**
   * Two like requests of one second would carry the same signature, and the second one would be refused as a replay;
   * so it is dated a second later.
   */
  private sign(head: RequestHead, body: Uint8Array): Readonly<Record<string, string>> {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    for (const [signature, second] of this.sent) {
      if (second >= now) break;
      this.sent.delete(signature);
    }
    for (let second = now; ; second++) {
      const signed = signRequest(head, body, this.keys.http, new Date(second * 1000));
      if (this.sent.has(signed['signature']!) && second < now + MOST_AHEAD_SECONDS) continue;
      this.sent.set(signed['signature']!, second);
      return signed;
    }
  }
}
