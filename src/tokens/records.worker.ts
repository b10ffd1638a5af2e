import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Poller, type Turn } from '../platform/poller.service.js';
import { ProvisioningService, RECORDS_WORKER } from './provisioning.service.js';

/** Has protocol servers forget what has ended, and replace what has changed. */
@Injectable()
export class RecordsWorker implements Turn, OnModuleInit {
  readonly name = RECORDS_WORKER;

  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly poller: Poller,
  ) {}

  onModuleInit(): void {
    this.poller.add(this, { everyMs: 2_000, loops: 2 });
  }

  turn(): Promise<boolean> {
    return this.provisioning.turn();
  }
}
