import { Injectable } from '@nestjs/common';
import type { Turn } from '../platform/poller.service.js';
import { CommittingService } from './committing.service.js';
import { COMMITTING } from './proposals.service.js';

@Injectable()
export class CommittingWorker implements Turn {
  readonly name = COMMITTING;

  constructor(private readonly committing: CommittingService) {}

  turn(): Promise<boolean> {
    return this.committing.commitNext();
  }
}
