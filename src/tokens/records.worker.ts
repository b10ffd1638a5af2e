import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../platform/metrics.service.js';
import { Poller, type Turn } from '../platform/poller.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { ProvisioningService, RECORDS_WORKER } from './provisioning.service.js';
import { ShareRecordRepository } from './share-record.repository.js';

/** Has protocol servers forget what has ended, and replace what has changed. */
@Injectable()
export class RecordsWorker implements Turn, OnModuleInit {
  readonly name = RECORDS_WORKER;
  private readonly gauge: Gauge<'state'>;

  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly records: ShareRecordRepository,
    private readonly db: TransactionService,
    private readonly poller: Poller,
    metrics: Metrics,
  ) {
    this.gauge = new Gauge({
      name: 'covey_share_records',
      help: 'What protocol servers were told of shares, or have to be',
      labelNames: ['state'],
      registers: [metrics.registry],
    });
    metrics.beforeReading(() => this.measure());
  }

  onModuleInit(): void {
    this.poller.add(this, { everyMs: 2_000, loops: 2 });
  }

  turn(): Promise<boolean> {
    return this.provisioning.turn();
  }

  private async measure(): Promise<void> {
    const counts = await this.db.statement((tx) => this.records.countByState(tx));
    this.gauge.reset();
    for (const { state, count } of counts) this.gauge.set({ state }, count);
  }
}
