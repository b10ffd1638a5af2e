import { Module } from '@nestjs/common';
import { TrustModule } from '../trust/trust.module.js';
import { Announcement } from './announcement.service.js';
import { Delegation } from './delegation.provider.js';
import { DiscoveryController } from './discovery.controller.js';
import { JwksController } from './jwks.controller.js';
import { KeysController } from './keys.controller.js';
import { PeerDirectory } from './peer-directory.client.js';
import { PeerClient } from './peer.client.js';
import { PeerDocumentRow, PeerRepository } from './peer.repository.js';
import { ReplayRepository, SeenSignatureRow } from './replay.repository.js';
import { ServerKeyRepository, ServerKeyRow } from './server-key.repository.js';
import { ServerKeysService, TokenKeys } from './server-keys.service.js';
import { SignatureGuard } from './signature.guard.js';
import { SignedAnswerService } from './signed-answer.service.js';
import { OcmUpkeepWorker } from './upkeep.worker.js';

export const OCM_ROWS = [ServerKeyRow, PeerDocumentRow, SeenSignatureRow];

const exported = [Announcement, Delegation, PeerClient, PeerDirectory, SignatureGuard, ServerKeysService, TokenKeys];

/** The wire: who other servers are, what they and we sign, and what is said to them. */
@Module({
  imports: [TrustModule],
  controllers: [DiscoveryController, JwksController, KeysController],
  providers: [...exported, ServerKeyRepository, PeerRepository, ReplayRepository, SignedAnswerService, OcmUpkeepWorker],
  // The guard is made anew in every module whose controllers use it, so what it needs is exported too.
  exports: [...exported, ReplayRepository, TrustModule],
})
export class OcmModule {}
