import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { toHex, utf8 } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import { type Discovery, federates } from '../ocm/discovery.js';
import { PeerClient } from '../ocm/peer.client.js';
import { Config } from '../platform/config.js';
import { HighWater } from '../platform/high-water.provider.js';
import { Log } from '../platform/logger.service.js';
import { Metrics } from '../platform/metrics.service.js';
import type { Turn } from '../platform/poller.service.js';
import type { Standing } from '../trust/policy.js';
import { Trust } from '../trust/trust.service.js';
import { type Claim, DeliveryService, type Try } from './delivery.service.js';
import type { Letter } from './letter.js';
import { LetterRepository } from './letter.repository.js';
import { judge, type Reply } from './parcel.js';
import { COURIER } from './revival.service.js';
import { Turnstile } from './turnstile.js';

/** What was sent is stored no later than this, between two letters. */
const STORE_EVERY_MS = 1_000;
/** Then the lane goes to the end of the queue, so that a slow peer does not keep a courier. */
const LONGEST_TURN_MS = 10_000;

const LACKING = 'discovery does not list federation';

/** Carries letters, a lane at a time, one after the other. Only it posts to peers. */
@Injectable()
export class CourierWorker implements Turn {
  readonly name = COURIER;
  private readonly turnstile = new Turnstile();

  constructor(
    private readonly delivery: DeliveryService,
    private readonly letters: LetterRepository,
    private readonly highWater: HighWater,
    private readonly peers: PeerClient,
    private readonly trust: Trust,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** The first letters of one lane. Between the transactions that take the lane and give it back stands the network. */
  async turn(): Promise<boolean> {
    const claim = await this.turnstile.pass(() => this.delivery.claim());
    if (!claim) return false;
    await this.serve(claim);
    return true;
  }

  private async serve(claim: Claim): Promise<void> {
    const { peer, health } = claim;
    const standing = await this.trust.standing(peer);
    if (standing.kind !== 'allowed') return this.withhold(claim, standing);
    const startedAt = this.clock.now();
    const looked = await this.look(claim);
    if ('silence' in looked) {
      if (health.state === 'unsupported') {
        await this.delivery.setAside(claim, [], health.reason, health.discoverySeen);
        return;
      }
      const [letter] = claim.letters;
      return this.leave(claim, letter ? [this.ruled(claim, letter, startedAt, looked.silence)] : []);
    }
    const seen = digestOf(looked.discovery);
    const unchanged = health.state === 'unsupported' && health.discoverySeen === seen;
    if (unchanged || !federates(looked.discovery)) {
      const reason = unchanged ? health.reason : LACKING;
      if (await this.delivery.setAside(claim, [], reason, seen)) {
        this.log.warn({ event: 'peer.unsupported', peer, reason }, 'a peer is set aside until its discovery changes');
      }
      return;
    }
    await this.carry(claim, seen);
  }

  private async withhold(claim: Claim, standing: Standing): Promise<void> {
    const { peer, health } = claim;
    const held = await this.delivery.withhold(claim, standing.reason);
    if (!held || health.state === 'withheld') return;
    this.log.warn({ event: 'peer.withheld', peer, ...standing }, 'policy lets nothing go to a peer');
  }

  private async carry(first: Claim, discoverySeen: string): Promise<void> {
    let claim = first;
    if (first.mark !== undefined) this.highWater.raise(first.mark);
    let tries: Try[] = [];
    for (const letter of claim.letters) {
      const startedAt = this.clock.now();
      if (startedAt.getTime() - claim.claimedAt.getTime() >= LONGEST_TURN_MS) break;
      if (!this.delivery.lasts(claim, startedAt) || mustBeStored(tries, startedAt)) {
        const kept = await this.delivery.keep(claim, tries);
        if (!kept) return this.lost(claim);
        this.tell(claim, tries);
        [claim, tries] = [kept, []];
      }
      const one = this.ruled(claim, letter, startedAt, await this.send(claim, letter));
      tries.push(one);
      if (one.ruling.kind === 'unsupported') {
        if (!(await this.delivery.setAside(claim, tries, one.ruling.reason, discoverySeen))) return this.lost(claim);
        return this.tell(claim, tries);
      }
      if (one.ruling.kind === 'again' || one.ruling.kind === 'dead') break;
    }
    return this.leave(claim, tries);
  }

  private async leave(claim: Claim, tries: readonly Try[]): Promise<void> {
    if (await this.delivery.leave(claim, tries)) this.tell(claim, tries);
    else this.lost(claim);
  }

  private async look({ peer }: Claim): Promise<{ discovery: Discovery } | { silence: Reply }> {
    try {
      return { discovery: await this.peers.discovery(peer) };
    } catch (error) {
      return { silence: this.noAnswer(error, { peer }) };
    }
  }

  private async send({ peer, lane }: Claim, letter: Letter): Promise<Reply> {
    try {
      const path = letter.endpoint === 'shares' ? '/shares' : '/notifications';
      return { kind: 'answer', answer: await this.peers.post(peer, path, this.letters.open(letter)) };
    } catch (error) {
      return this.noAnswer(error, { peer, lane, letter: letter.id });
    }
  }

  /** Faults of the peer are silence. Whatever else goes wrong keeps this lane from being sent, and nobody else's. */
  private noAnswer(error: unknown, facts: object): Reply {
    if (isFault(error, 'database.unavailable')) throw error;
    if (isFault(error) && error.code.startsWith('peer.')) return { kind: 'silence', reason: error.code };
    this.log.error({ event: 'letter.unsent', ...facts, err: error }, 'a letter could not be sent');
    return { kind: 'unsent', reason: error instanceof Fault ? error.code : 'internal' };
  }

  private ruled({ health }: Claim, letter: Letter, startedAt: Date, reply: Reply): Try {
    const at = this.clock.now();
    const peerFailures = health.state === 'failing' ? health.failures : 0;
    const patience = { tries: letter.tries + 1, peerFailures, mostTries: this.config.deliveryTries };
    return { letter, startedAt, at, reply, ruling: judge(reply, at, patience) };
  }

  private lost({ peer, lane }: Claim): void {
    this.log.warn(
      { event: 'lane.lost', peer, lane },
      'another courier took over a lane; what this one sent is not stored',
    );
  }

  private tell({ peer, lane }: Claim, tries: readonly Try[]): void {
    for (const { letter, ruling, reply } of tries) {
      this.metrics.letterSettled(ruling.kind);
      const level = LEVELS[ruling.kind];
      this.log[level](
        {
          event: `letter.${ruling.kind}`,
          peer,
          lane,
          kind: letter.kind,
          letter: letter.id,
          tries: letter.tries + 1,
          ...(reply.kind === 'answer' ? { status: reply.answer.status } : {}),
          ...('reason' in ruling ? { reason: ruling.reason } : {}),
        },
        SAYS[ruling.kind],
      );
    }
  }
}

const LEVELS = { delivered: 'info', again: 'info', refused: 'warn', unsupported: 'warn', dead: 'error' } as const;
const SAYS = {
  delivered: 'a letter was delivered',
  again: 'a letter will be tried again',
  refused: 'a letter was refused for good',
  unsupported: 'a peer is set aside until its discovery changes',
  dead: 'a letter is dead and its lane stands still',
} as const;

/** Somebody waits for how the last one ended, or the first one was sent a while ago. */
function mustBeStored(tries: readonly Try[], at: Date): boolean {
  const [first] = tries;
  if (!first) return false;
  return tries.at(-1)!.letter.answerTo !== undefined || at.getTime() - first.at.getTime() >= STORE_EVERY_MS;
}

const digestOf = (discovery: Discovery): string =>
  toHex(
    createHash('sha256')
      .update(utf8(JSON.stringify(discovery)))
      .digest(),
  );
