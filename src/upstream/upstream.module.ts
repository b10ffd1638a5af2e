import { Module } from '@nestjs/common';
import { OcmModule } from '../ocm/ocm.module.js';
import { SharesModule } from '../shares/shares.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { HandoverController } from './handover.controller.js';
import { HandoverService } from './handover.service.js';
import { GatewayService } from './gateway.service.js';
import { OwnershipService } from './ownership.service.js';
import { PlatformDocuments } from './platform-documents.service.js';
import { UpstreamClient } from './upstream.client.js';

/** The file platform that this server stands in front of, or behind, if there is one. */
@Module({
  imports: [OcmModule, SharesModule, TokensModule],
  providers: [UpstreamClient, PlatformDocuments, OwnershipService, GatewayService, HandoverService],
  controllers: [HandoverController],
})
export class UpstreamModule {}
