import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { PeerHealthRepository } from './peer-health.repository.js';
import { COURIER } from './revival.service.js';

/** Looks whether policy lets letters go again that it held back. Whoever changes policy gives a hint. */
@Injectable()
export class ReleaseWorker implements Turn {
  readonly name = 'outbox.release';

  constructor(
    private readonly transactions: TransactionService,
    private readonly peers: PeerHealthRepository,
    private readonly trust: Trust,
    private readonly poller: Poller,
    private readonly clock: Clock,
  ) {
    trust.whenChanged(() => poller.wake(this.name));
  }

  async turn(): Promise<boolean> {
    const withheld = await this.transactions.statement((tx) => this.peers.withheld(tx));
    if (withheld.length === 0) return false;
    await this.trust.picture();
    for (const peer of withheld) {
      const { kind } = await this.trust.standing(peer);
      if (kind !== 'allowed') continue;
      await this.transactions.statement((tx) => this.peers.hasten(tx, peer, this.clock.now()));
      this.poller.wake(COURIER);
    }
    return false;
  }
}
