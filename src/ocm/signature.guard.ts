import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Config } from '../platform/config.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { Admission } from '../trust/admission.service.js';
import { PeerLimits } from '../trust/peer-limits.service.js';
import { Trust } from '../trust/trust.service.js';
import { type ClaimSource, claimedDomain, domainOfKeyId, namedKeyId } from './claimed-domain.js';
import { hostOfOldKeyId, modernBody } from './compat.js';
import { type Claim, fingerprint, readRequest, replayableUntil, verifyClaim } from './http-signature.js';
import type { VerificationKey } from './jwk-set.js';
import type { RequestHead } from './message-signature.js';
import { PeerDirectory } from './peer-directory.client.js';
import { publicTarget } from './public-target.js';
import { ReplayRepository } from './replay.repository.js';
import { markSigned } from './signed-request.js';

const SOURCE = 'ocm.signed-by';
const ANSWER = 'ocm.signed-answer';
const NOTHING = new Uint8Array();

/** Where the request says which server it is from. Required on every handler behind the `SignatureGuard`. D-08 */
export const SignedBy = (source: ClaimSource) => SetMetadata(SOURCE, source);

/** The answer of this handler is signed, for the very request that it answers. D-06 */
export const SignedAnswer = () => SetMetadata(ANSWER, true);

type Arrived = FastifyRequest & { readonly rawBody?: Buffer };

/**
 * Lets a request pass that the server it claims to be from has signed, and that was not seen before. What can be judged
 * without a key is judged first, and so is whether that server may federate at all. OCM core section "Verification Requirements", OCM-MLS, D-05, D-07, D-08
 */
@Injectable()
export class SignatureGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly directory: PeerDirectory,
    private readonly replays: ReplayRepository,
    private readonly transactions: TransactionService,
    private readonly trust: Trust,
    private readonly admission: Admission,
    private readonly limits: PeerLimits,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const on = [context.getHandler(), context.getClass()];
    const source = this.reflector.getAllAndOverride<ClaimSource | undefined>(SOURCE, on);
    if (!source) throw new Error(`${context.getClass().name} lacks @SignedBy()`);
    const signAnswer = this.reflector.getAllAndOverride<boolean | undefined>(ANSWER, on) ?? false;
    const request = context.switchToHttp().getRequest<Arrived>();
    try {
      const { peer, head, label, created } = await this.judge(request, source);
      markSigned(request, { peer, head, label, created, signAnswer });
    } catch (error) {
      this.refused(error);
      throw error;
    }
    this.metrics.signatureJudged('ok');
    return true;
  }

  private async judge(
    request: Arrived,
    source: ClaimSource,
  ): Promise<{ peer: Host; head: RequestHead; label: string; created: Date }> {
    const body = request.rawBody ?? NOTHING;
    const head = this.headOf(request, body);
    const old = this.oldPeer(request, source);
    const claim = readRequest(head, body, { now: this.clock.now(), untagged: old !== undefined });
    if (old) request.body = modernBody(request.body, old);
    const peer = claimedDomain(source, request.body, claim.keyId);
    const endpoint = request.routeOptions.url ?? '';
    await this.admission.claimed(peer);
    this.limits.assertOpen(peer, endpoint);
    const key = await this.keyOf(peer, claim.keyId);
    await verifyClaim(head, claim, key);
    await this.admission.proved(peer);
    await this.limits.spend(peer, endpoint);
    await this.refuseReplay(peer, claim, key);
    return { peer, head, label: claim.label, created: claim.created };
  }

  private headOf(request: Arrived, body: Uint8Array): RequestHead {
    const targetUri = publicTarget(this.config.publicUrl, { host: request.host, url: request.raw.url ?? '' });
    // A proxy may leave out that a body is empty, which says the same.
    const length = body.length === 0 ? { 'content-length': '0' } : {};
    return { method: request.method, targetUri, fields: { ...request.headers, ...length } };
  }

  /** The peer that is claimed, if it is one of those of which old forms are taken. D-02 */
  private oldPeer({ body, headers }: Arrived, source: ClaimSource): Host | undefined {
    if (!this.trust.knowsOldPeers) return undefined;
    const keyId = namedKeyId(headers['signature-input']);
    let peer = hostOfOldKeyId(keyId) ?? domainOfKeyId(keyId);
    try {
      peer = claimedDomain(source, body, keyId);
    } catch {
      // The oldest bodies do not say who sends them.
    }
    return peer && this.trust.isCompatible(peer) ? peer : undefined;
  }

  private async keyOf(peer: Host, keyId: string): Promise<VerificationKey> {
    try {
      return await this.directory.verificationKey(peer, keyId);
    } catch (error) {
      if (!isFault(error)) throw error;
      const named = domainOfKeyId(keyId);
      if (error.code === 'signature.key-unknown' && named && named !== peer) {
        throw new Fault('signature.wrong-domain', { peer, keyId }, error);
      }
      if (error.code.startsWith('peer.')) {
        throw new Fault('signature.key-unavailable', { peer, reason: error.code }, error);
      }
      throw error;
    }
  }

  private async refuseReplay(peer: Host, claim: Claim, key: VerificationKey): Promise<void> {
    const seen = fingerprint(peer, claim, key);
    const isNew = await this.transactions.statement((tx) => this.replays.remember(tx, seen, replayableUntil(claim)));
    if (!isNew) throw new Fault('signature.replayed', { peer, keyId: claim.keyId });
  }

  private refused(error: unknown): void {
    if (!isFault(error)) return;
    this.metrics.signatureJudged(error.code);
    this.log.warn({ event: 'signature.refused', code: error.code, ...error.facts }, 'a signature was refused');
  }
}
