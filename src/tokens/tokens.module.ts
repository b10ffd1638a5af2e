import { Module } from '@nestjs/common';
import { OcmModule } from '../ocm/ocm.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { ClientAssertionsService } from './client-assertions.service.js';
import { DelegationWorker } from './delegation.worker.js';
import { GrantRepository, GrantRow } from './grant.repository.js';
import { IntrospectionController } from './introspection.controller.js';
import { IntrospectionService } from './introspection.service.js';
import { MetadataController } from './metadata.controller.js';
import { PairingRepository, PairingRow } from './pairing.repository.js';
import { PairingsController } from './pairings.controller.js';
import { PairingsService } from './pairings.service.js';
import { ProtocolServerClient } from './protocol-server.client.js';
import { ProvisioningService } from './provisioning.service.js';
import { RecordsWorker } from './records.worker.js';
import { ShareRecordRepository, ShareRecordRow } from './share-record.repository.js';
import { TokenController } from './token.controller.js';
import { TokensService } from './tokens.service.js';

export const TOKENS_ROWS = [GrantRow, PairingRow, ShareRecordRow];

@Module({
  imports: [OcmModule, OutboxModule],
  providers: [
    GrantRepository,
    TokensService,
    PairingRepository,
    PairingsService,
    ClientAssertionsService,
    IntrospectionService,
    ShareRecordRepository,
    ProtocolServerClient,
    ProvisioningService,
    RecordsWorker,
    DelegationWorker,
  ],
  controllers: [TokenController, IntrospectionController, MetadataController, PairingsController],
  exports: [TokensService, ProvisioningService, GrantRepository],
})
export class TokensModule {}
