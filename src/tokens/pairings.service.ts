import { Injectable } from '@nestjs/common';
import { host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault } from '../kernel/fault.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { TransactionService } from '../platform/transaction.service.js';
import type { Pairing, PairingMethod } from './pairing.js';
import { PairingRepository } from './pairing.repository.js';

/** Which protocol servers may ask about tokens. OCM-IP, Pairing */
@Injectable()
export class PairingsService {
  constructor(
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly db: TransactionService,
    private readonly pairings: PairingRepository,
    private readonly audit: AuditLog,
  ) {}

  /** With a secret where one is needed, which is shown now and never again. Throws `pairing.exists`, `host.malformed`. */
  async add(clientId: string, method: PairingMethod): Promise<{ readonly pairing: Pairing; readonly secret?: string }> {
    const name = method === 'signature' ? host(clientId) : clientId;
    const secret = method === 'signature' ? undefined : this.dice.secret();
    const pairing: Pairing = { clientId: name, method, createdAt: this.clock.now() };
    await this.db.run(async (tx) => {
      if (!(await this.pairings.add(tx, pairing, secret))) throw new Fault('pairing.exists', { clientId });
      await this.audit.record(tx, { act: 'pairing.made', subject: name, facts: { method } });
    });
    return { pairing, ...(secret === undefined ? {} : { secret }) };
  }

  list(): Promise<Pairing[]> {
    return this.db.statement((tx) => this.pairings.all(tx));
  }

  /** It may ask no more from this moment. Throws `pairing.unknown`. */
  async remove(clientId: string): Promise<void> {
    await this.db.run(async (tx) => {
      if (!(await this.pairings.remove(tx, clientId))) throw new Fault('pairing.unknown', { clientId });
      await this.audit.record(tx, { act: 'pairing.ended', subject: clientId });
    });
  }
}
