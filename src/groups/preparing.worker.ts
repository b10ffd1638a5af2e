import { Injectable } from '@nestjs/common';
import type { Turn } from '../platform/poller.service.js';
import { PREPARING } from './changes.service.js';
import { PreparingService } from './preparing.service.js';

@Injectable()
export class PreparingWorker implements Turn {
  readonly name = PREPARING;

  constructor(private readonly preparing: PreparingService) {}

  turn(): Promise<boolean> {
    return this.preparing.prepareNext();
  }
}
