import { Injectable } from '@nestjs/common';
import type { Turn } from '../platform/poller.service.js';
import { KeyPackagesService, STOCK_WORKER } from './key-packages.service.js';

/** Keeps the stock of every user filled, a few users per turn, and replaces what nears its end. OCM-MLS R-043 */
@Injectable()
export class KeyPackageStockWorker implements Turn {
  readonly name = STOCK_WORKER;

  constructor(private readonly keyPackages: KeyPackagesService) {}

  async turn(): Promise<boolean> {
    if (await this.keyPackages.replenish()) return true;
    await this.keyPackages.tidy();
    return false;
  }
}
