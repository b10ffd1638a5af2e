import { Module } from '@nestjs/common';
import { OcmModule } from '../ocm/ocm.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { GrantRepository, GrantRow } from './grant.repository.js';
import { IntrospectionController } from './introspection.controller.js';
import { IntrospectionService } from './introspection.service.js';
import { MetadataController } from './metadata.controller.js';
import { PairingRepository, PairingRow } from './pairing.repository.js';
import { PairingsController } from './pairings.controller.js';
import { PairingsService } from './pairings.service.js';
import { TokenController } from './token.controller.js';
import { TokensService } from './tokens.service.js';

export const TOKENS_ROWS = [GrantRow, PairingRow];

@Module({
  imports: [OcmModule, OutboxModule],
  providers: [GrantRepository, TokensService, PairingRepository, PairingsService, IntrospectionService],
  controllers: [TokenController, IntrospectionController, MetadataController, PairingsController],
  exports: [TokensService],
})
export class TokensModule {}
