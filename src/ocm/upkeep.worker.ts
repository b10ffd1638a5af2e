import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { PeerRepository } from './peer.repository.js';
import { ReplayRepository } from './replay.repository.js';
import { ServerKeysService } from './server-keys.service.js';

const EVERY_MS = 60_000;
/** A server that was not asked for so long is forgotten. */
const REMEMBERED_MS = 7 * 86_400_000;

/** Lets keys take over and go when it is time, and forgets what need not be remembered any longer. */
@Injectable()
export class OcmUpkeepWorker implements Turn, OnModuleInit {
  readonly name = 'ocm.upkeep';

  constructor(
    private readonly poller: Poller,
    private readonly transactions: TransactionService,
    private readonly replays: ReplayRepository,
    private readonly peers: PeerRepository,
    private readonly keys: ServerKeysService,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.poller.add(this, { everyMs: EVERY_MS });
  }

  async turn(): Promise<boolean> {
    const now = this.clock.now();
    await this.transactions.statement((tx) => this.replays.forget(tx, now));
    await this.transactions.statement((tx) => this.peers.forget(tx, new Date(now.getTime() - REMEMBERED_MS)));
    await this.keys.turnOver();
    return false;
  }
}
