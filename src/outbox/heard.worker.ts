import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { RevivalService } from './revival.service.js';

/** A peer that speaks all the time is looked at no more often than this. */
const PAUSE_MS = 10_000;

/** Acts on what was heard: a peer that speaks is there. Noting it costs nothing, so everybody may, at any time. */
@Injectable()
export class HeardWorker implements Turn {
  readonly name = 'outbox.heard';
  /** With each peer, whether it is known to have been away. */
  private readonly noted = new Map<Host, boolean>();
  private readonly lately = new Map<Host, Date>();

  constructor(
    private readonly revival: RevivalService,
    private readonly poller: Poller,
    private readonly clock: Clock,
  ) {}

  note(peer: Host, wasAway = false): void {
    this.noted.set(peer, wasAway || this.noted.get(peer) === true);
    if (wasAway || !this.lately.has(peer)) this.poller.wake(this.name);
  }

  async turn(): Promise<boolean> {
    const at = this.clock.now();
    for (const [peer, when] of this.lately) if (at.getTime() - when.getTime() >= PAUSE_MS) this.lately.delete(peer);
    const next = [...this.noted].find(([peer, wasAway]) => wasAway || !this.lately.has(peer));
    if (!next) return false;
    const [peer, wasAway] = next;
    this.noted.delete(peer);
    this.lately.set(peer, at);
    try {
      if (!(await this.revival.heard(peer, wasAway))) this.noted.set(peer, false);
    } catch (error) {
      this.noted.set(peer, wasAway);
      throw error;
    }
    return true;
  }
}
