import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../platform/metrics.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { ReceivedShareRepository } from './received-share.repository.js';
import { RotationRepository } from './rotation.repository.js';
import { ShareServerRepository } from './share-server.repository.js';
import { ShareRepository } from './share.repository.js';

/** Shares, and files that are to have a new key, by state, counted when somebody looks. */
@Injectable()
export class ShareMetrics {
  private readonly gauge: Gauge<'kind' | 'state'>;
  private readonly changes: Gauge<'state'>;

  constructor(
    metrics: Metrics,
    private readonly db: TransactionService,
    private readonly shares: ShareRepository,
    private readonly servers: ShareServerRepository,
    private readonly received: ReceivedShareRepository,
    private readonly rotations: RotationRepository,
  ) {
    this.gauge = new Gauge({
      name: 'covey_shares',
      help: 'Shares sent, received, and sent to one server each, by state',
      labelNames: ['kind', 'state'],
      registers: [metrics.registry],
    });
    this.changes = new Gauge({
      name: 'covey_file_key_changes',
      help: 'Files that are to have a new key, by how far that is',
      labelNames: ['state'],
      registers: [metrics.registry],
    });
    metrics.beforeReading(() => this.refresh());
  }

  private async refresh(): Promise<void> {
    const { counts, changes } = await this.db.run(async (tx) => ({
      counts: [
        ...Object.entries(await this.shares.countByState(tx)).map(([state, count]) => ({ kind: 'sent', state, count })),
        ...(await this.servers.countByState(tx)).map((found) => ({ kind: 'announced', ...found })),
        ...Object.entries(await this.received.countByState(tx)).map(([state, count]) => ({
          kind: 'received',
          state,
          count,
        })),
      ],
      changes: await this.rotations.countByState(tx),
    }));
    this.changes.reset();
    for (const { state, count } of changes) this.changes.set({ state }, count);
    this.gauge.reset();
    for (const { kind, state, count } of counts) this.gauge.set({ kind, state }, count);
  }
}
