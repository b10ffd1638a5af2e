import { Injectable } from '@nestjs/common';
import type { Turn } from '../platform/poller.service.js';
import { UpkeepService } from './upkeep.service.js';

@Injectable()
export class UpkeepWorker implements Turn {
  readonly name = 'groups.upkeep';

  constructor(private readonly upkeep: UpkeepService) {}

  turn(): Promise<boolean> {
    return this.upkeep.tendNext();
  }
}
