import { Injectable } from '@nestjs/common';
import { TransactionService } from '../platform/transaction.service.js';
import { ReceivedShareRepository } from '../shares/received-share.repository.js';
import { GrantRepository } from '../tokens/grant.repository.js';
import { type Door, whose } from './ownership.js';

/** Whether a request is for us or for the file platform. */
@Injectable()
export class OwnershipService {
  constructor(
    private readonly db: TransactionService,
    private readonly grants: GrantRepository,
    private readonly received: ReceivedShareRepository,
  ) {}

  /** Throws `database.unavailable` rather than to guess. */
  async isOurs(door: Door, body: Uint8Array, signatureInput: string | string[] | undefined): Promise<boolean> {
    const verdict = whose(door, body, signatureInput);
    switch (verdict.kind) {
      case 'ours':
        return true;
      case 'theirs':
        return false;
      case 'secret':
        return this.db.statement((tx) => this.grants.recognises(tx, verdict.secrets));
      case 'named': {
        const { from, providerIds } = verdict;
        if (await this.db.statement((tx) => this.grants.issued(tx, providerIds))) return true;
        return from !== undefined && this.db.statement((tx) => this.received.knows(tx, from, providerIds));
      }
      default:
        return verdict satisfies never;
    }
  }
}
