import { Module } from '@nestjs/common';
import { OcmModule } from '../ocm/ocm.module.js';
import { Poller } from '../platform/poller.service.js';
import { ApplicationsService } from './applications.service.js';
import { ClientStateRepository, MlsGroupRow } from './client-state.repository.js';
import { ClientRepository, MlsClientRow } from './client.repository.js';
import { ClientsService } from './clients.service.js';
import { HeldStateRepository, HeldStateRow } from './held-state.repository.js';
import { JoinedWelcomeRepository, JoinedWelcomeRow } from './joined-welcome.repository.js';
import { JoiningService } from './joining.service.js';
import { KeyPackageClient } from './key-package.client.js';
import { KeyPackageStockWorker } from './key-package-stock.worker.js';
import { KeyPackageRepository, KeyPackageRow } from './key-package.repository.js';
import { KeyPackagesController } from './key-packages.controller.js';
import { KeyPackagesService } from './key-packages.service.js';
import { EarlierGroupKeyRepository, EarlierGroupKeyRow } from './earlier-group-key.repository.js';
import { LeafRepository, MlsLeafRow } from './leaf.repository.js';
import { LocalGroupsService } from './local-groups.service.js';
import { MlsService } from './mls.service.js';
import { PendingCommitRepository, PendingCommitRow } from './pending-commit.repository.js';
import { SuccessionService } from './succession.service.js';
import { StateLossService } from './state-loss.service.js';
import { suiteProvider } from './suite.provider.js';

export const MLS_ROWS = [
  MlsClientRow,
  KeyPackageRow,
  MlsGroupRow,
  MlsLeafRow,
  PendingCommitRow,
  JoinedWelcomeRow,
  HeldStateRow,
  EarlierGroupKeyRow,
];

@Module({
  imports: [OcmModule],
  providers: [
    suiteProvider,
    ClientRepository,
    KeyPackageRepository,
    ClientStateRepository,
    LeafRepository,
    PendingCommitRepository,
    JoinedWelcomeRepository,
    HeldStateRepository,
    EarlierGroupKeyRepository,
    KeyPackagesService,
    KeyPackageClient,
    ClientsService,
    LocalGroupsService,
    JoiningService,
    MlsService,
    ApplicationsService,
    SuccessionService,
    StateLossService,
    KeyPackageStockWorker,
  ],
  controllers: [KeyPackagesController],
  exports: [
    MlsService,
    ApplicationsService,
    EarlierGroupKeyRepository,
    SuccessionService,
    StateLossService,
    HeldStateRepository,
    ClientsService,
    KeyPackageClient,
    KeyPackagesService,
  ],
})
export class MlsModule {
  constructor(poller: Poller, stock: KeyPackageStockWorker) {
    poller.add(stock, { everyMs: 60_000 });
  }
}
