import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Delegation } from '../ocm/delegation.provider.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { PairingRepository } from './pairing.repository.js';

/** Publishes the Token Server that is paired, in every replica. OCM-IP, Delegating the Token Endpoint */
@Injectable()
export class DelegationWorker implements Turn, OnModuleInit {
  readonly name = 'tokens.delegation';

  constructor(
    private readonly delegation: Delegation,
    private readonly db: TransactionService,
    private readonly pairings: PairingRepository,
    private readonly poller: Poller,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.turn();
    this.poller.add(this, { everyMs: 10_000 });
  }

  async turn(): Promise<boolean> {
    const found = await this.db.statement((tx) => this.pairings.tokenServer(tx));
    const { tokenEndPoint, jwks } = found ?? {};
    this.delegation.tokenServer = tokenEndPoint === undefined ? undefined : { tokenEndPoint, keys: jwks?.keys ?? [] };
    return false;
  }
}
