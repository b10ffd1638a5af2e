import { Injectable } from '@nestjs/common';
import type { Turn } from '../platform/poller.service.js';
import { FailoverService } from './failover.service.js';
import { TakeoverService } from './takeover.service.js';

/** Forgets what was held back and is final now, and takes over groups whose owner fell silent. */
@Injectable()
export class FailoverWorker implements Turn {
  readonly name = 'groups.failover';

  constructor(
    private readonly failover: FailoverService,
    private readonly takeovers: TakeoverService,
  ) {}

  async turn(): Promise<boolean> {
    await this.failover.forgetExpired();
    return this.takeovers.takeOverNext();
  }
}
