import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { FAULTS, Fault, isFault, type FaultCode } from '../kernel/fault.js';
import { Network } from '../kernel/network.js';
import { Config } from '../platform/config.js';
import { parseJson } from '../platform/json.js';
import { TransactionService } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { GRACE, lifetimeOf, pauseAfter } from './cache-lifetime.js';
import { modernDiscovery, oldJwksUri } from './compat.js';
import { parseDiscovery, type Discovery } from './discovery.js';
import { parseJwkSet, verificationKey, type JwkSet, type VerificationKey } from './jwk-set.js';
import { originOf, peerUrl } from './peer-url.js';
import { PeerRepository, type DocumentKind, type PeerDocumentRow } from './peer.repository.js';
import { addressPolicy } from './public-ip.js';

const LARGEST_DOCUMENT = 256 * 1024;
/** For a key that is not in the JWK Set, the server is asked again, but not more often than this. */
const RENEWAL_PAUSE = 60_000;
const MOST_IN_MEMORY = 2_000;

interface Documents {
  readonly discovery: Discovery;
  readonly 'jwk-set': JwkSet;
}

interface Kept<K extends DocumentKind> {
  readonly value: Documents[K];
  readonly readAt: Date;
  readonly goodUntil: Date;
}

const FAILED = { discovery: 'peer.discovery-failed', 'jwk-set': 'peer.keys-failed' } as const;
const MALFORMED = { discovery: 'peer.discovery-malformed', 'jwk-set': 'peer.keys-malformed' } as const;

const isCode = (text: string | null): text is FaultCode => text !== null && Object.hasOwn(FAULTS, text);

/**
 * What other servers publish of themselves: read when needed, believed for a while, shared by the replicas through the
 * database. A server that fails is left alone for a while, and what it said before serves on for a time.
 */
@Injectable()
export class PeerDirectory {
  private readonly policy;
  private readonly memory = new Map<string, Kept<DocumentKind>>();
  private readonly underWay = new Map<string, Promise<Kept<DocumentKind>>>();
  private readonly keys = new WeakMap<JwkSet, Map<string, VerificationKey>>();

  constructor(
    private readonly network: Network,
    private readonly peers: PeerRepository,
    private readonly transactions: TransactionService,
    private readonly trust: Trust,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    this.policy = addressPolicy(config);
  }

  /** Throws `peer.*`; a failure shortly before is thrown again without asking. */
  async discovery(peer: Host): Promise<Discovery> {
    return (await this.document(peer, 'discovery')).value;
  }

  /**
   * The key that the server itself publishes under this `kid`. Throws `signature.key-unknown`,
   * `signature.key-unusable`, or `peer.*` when the server cannot be asked.
   */
  async verificationKey(peer: Host, kid: string): Promise<VerificationKey> {
    const kept = await this.document(peer, 'jwk-set');
    try {
      return this.keyOf(kept.value, kid);
    } catch (fault) {
      if (!isFault(fault, 'signature.key-unknown') || this.isRecent(kept)) throw fault;
      return this.keyOf((await this.document(peer, 'jwk-set', kept.readAt)).value, kid);
    }
  }

  private keyOf(set: JwkSet, kid: string): VerificationKey {
    const known = this.keys.get(set) ?? new Map<string, VerificationKey>();
    this.keys.set(set, known);
    const key = known.get(kid) ?? verificationKey(set, kid);
    known.set(kid, key);
    return key;
  }

  private readonly isRecent = ({ readAt }: { readonly readAt: Date }): boolean =>
    this.clock.now().getTime() - readAt.getTime() < RENEWAL_PAUSE;

  /** From memory, from the database or from the server; with `after`, one that was read later than that. */
  private async document<K extends DocumentKind>(peer: Host, kind: K, after?: Date): Promise<Kept<K>> {
    const name = `${kind} ${peer}`;
    const held = this.memory.get(name) as Kept<K> | undefined;
    if (held && this.isGood(held, after)) return held;
    const underWay = this.underWay.get(name) as Promise<Kept<K>> | undefined;
    if (underWay) return underWay;
    const looking = this.look(peer, kind, after);
    this.underWay.set(name, looking);
    try {
      const found = await looking;
      this.memory.delete(name);
      this.memory.set(name, found);
      if (this.memory.size > MOST_IN_MEMORY) this.memory.delete(this.memory.keys().next().value!);
      return found;
    } finally {
      this.underWay.delete(name);
    }
  }

  private readonly isGood = (kept: Kept<DocumentKind>, after?: Date): boolean =>
    after ? kept.readAt > after : kept.goodUntil > this.clock.now();

  private async look<K extends DocumentKind>(peer: Host, kind: K, after?: Date): Promise<Kept<K>> {
    const row = await this.transactions.statement((tx) => this.peers.find(tx, peer, kind));
    const kept = row && this.kept(row, kind);
    if (kept && this.isGood(kept, after)) return kept;
    try {
      const { failure = null, retryAt = null } = row ?? {};
      if (retryAt && retryAt > this.clock.now()) {
        throw new Fault(isCode(failure) ? failure : FAILED[kind], { peer, failedBefore: true });
      }
      return await this.ask(peer, kind, row?.failures ?? 0, after);
    } catch (fault) {
      const inGrace = kept && kept.goodUntil.getTime() + GRACE > this.clock.now().getTime();
      if (inGrace && !after && isFault(fault) && fault.code.startsWith('peer.')) return kept;
      throw fault;
    }
  }

  /** Stored documents are parsed again: they may have been written by another version. */
  private kept<K extends DocumentKind>({ document, readAt, goodUntil }: PeerDocumentRow, kind: K): Kept<K> | undefined {
    if (!document || !readAt || !goodUntil) return undefined;
    try {
      return { value: this.parse(kind, document), readAt, goodUntil };
    } catch {
      return undefined;
    }
  }

  private parse<K extends DocumentKind>(kind: K, body: unknown): Documents[K] {
    return (kind === 'discovery' ? parseDiscovery(body, this.policy) : parseJwkSet(body)) as Documents[K];
  }

  private async ask<K extends DocumentKind>(peer: Host, kind: K, failures: number, after?: Date): Promise<Kept<K>> {
    try {
      const { value, lifetime } = await this.fetch(peer, kind, await this.place(peer, kind, after));
      const readAt = this.clock.now();
      const goodUntil = new Date(readAt.getTime() + lifetime);
      await this.transactions.statement((tx) => this.peers.keep(tx, peer, kind, value, readAt, goodUntil));
      return { value, readAt, goodUntil };
    } catch (fault) {
      if (!isFault(fault) || !fault.code.startsWith('peer.')) throw fault;
      const retryAt = new Date(this.clock.now().getTime() + pauseAfter(failures + 1));
      await this.transactions.statement((tx) => this.peers.failed(tx, peer, kind, fault.code, failures + 1, retryAt));
      throw fault;
    }
  }

  /** Where the document is. A server that changes its keys may have moved its JWK Set. */
  private async place(peer: Host, kind: DocumentKind, after: Date | undefined): Promise<URL> {
    const origin = originOf(peer, this.policy);
    if (kind === 'discovery') return peerUrl(`${origin}/.well-known/ocm`, this.policy);
    let discovery = await this.document(peer, 'discovery');
    if (after && !this.isRecent(discovery)) discovery = await this.document(peer, 'discovery', discovery.readAt);
    const fallback = this.trust.isCompatible(peer) ? oldJwksUri(origin) : undefined;
    const place = discovery.value.jwksUri ?? fallback;
    if (place === undefined) throw new Fault('peer.keys-failed', { peer, reason: 'no jwksUri' });
    return peerUrl(place, this.policy);
  }

  private async fetch<K extends DocumentKind>(
    peer: Host,
    kind: K,
    url: URL,
  ): Promise<{ value: Documents[K]; lifetime: number }> {
    const answer = await this.network.fetch({
      method: 'GET',
      url: url.href,
      headers: { accept: 'application/json, application/jwk-set+json', 'accept-encoding': 'identity' },
      timeoutMs: this.config.peerTimeoutMs,
      maxBytes: LARGEST_DOCUMENT,
    });
    if (answer.status !== 200) throw new Fault(FAILED[kind], { peer, status: answer.status });
    let body: unknown;
    try {
      body = parseJson(answer.body);
    } catch (cause) {
      throw new Fault(MALFORMED[kind], { peer, reason: 'not JSON' }, cause);
    }
    const modern = kind === 'discovery' && this.trust.isCompatible(peer) ? modernDiscovery(body) : body;
    return { value: this.parse(kind, modern), lifetime: lifetimeOf(answer.headers) };
  }
}
