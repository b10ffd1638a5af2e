import { Module } from '@nestjs/common';
import { FeedModule } from '../feed/feed.module.js';
import { GroupsModule } from '../groups/groups.module.js';
import { MlsModule } from '../mls/mls.module.js';
import { OcmModule } from '../ocm/ocm.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { Poller } from '../platform/poller.service.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { AnnouncingService } from './announcing.service.js';
import { AnswersWorker } from './answers.worker.js';
import { ContentController } from './content.controller.js';
import { ContentService } from './content.service.js';
import { CredentialRenewalRepository, CredentialRenewalRow } from './credential-renewal.repository.js';
import { CredentialsService } from './credentials.service.js';
import { CredentialsWorker } from './credentials.worker.js';
import { EfssReceivedSharesController } from './efss-received-shares.controller.js';
import { EfssSharesController } from './efss-shares.controller.js';
import { EncryptedResourceRepository, EncryptedResourceRow } from './encrypted-resource.repository.js';
import { EndingService } from './ending.service.js';
import { ExpiryWorker } from './expiry.worker.js';
import { FileKeysService } from './file-keys.service.js';
import { KeyExpiryWorker } from './key-expiry.worker.js';
import { KeySendingService } from './key-sending.service.js';
import { NoticesWorker } from './notices.worker.js';
import { OpeningService } from './opening.service.js';
import { ReceivedShareRepository, ReceivedShareRow } from './received-share.repository.js';
import { ReceivingService } from './receiving.service.js';
import { ReceivingKeysService } from './receiving-keys.service.js';
import { RecipientsWorker } from './recipients.worker.js';
import { RetellingWorker } from './retelling.worker.js';
import { RewrapWorker } from './rewrap.worker.js';
import { PreparingService } from './preparing.service.js';
import { SendingService } from './sending.service.js';
import { ShareAnswersService } from './share-answers.service.js';
import { SharingService } from './sharing.service.js';
import { ShareMetrics } from './share-metrics.service.js';
import { ShareServerRepository, ShareServerRow } from './share-server.repository.js';
import { ShareRepository, ShareRow } from './share.repository.js';
import { SharesController } from './shares.controller.js';
import { WrappedKeyRepository, WrappedKeyRow } from './wrapped-key.repository.js';
import { AudienceService } from './audience.service.js';
import { AudienceWorker } from './audience.worker.js';
import { KeyAgeWorker } from './key-age.worker.js';
import { NewKeyWorker } from './new-key.worker.js';
import { DeliveryRow, RotationRepository, RotationRow } from './rotation.repository.js';
import { RotationWishes } from './rotation-wishes.service.js';
import { RotationsController } from './rotations.controller.js';
import { RotationsService } from './rotations.service.js';

export const SHARES_ROWS = [
  ShareRow,
  ShareServerRow,
  ReceivedShareRow,
  EncryptedResourceRow,
  WrappedKeyRow,
  RotationRow,
  DeliveryRow,
  CredentialRenewalRow,
];

@Module({
  imports: [OcmModule, MlsModule, OutboxModule, FeedModule, GroupsModule, TokensModule],
  providers: [
    ShareRepository,
    ShareServerRepository,
    ReceivedShareRepository,
    EndingService,
    AnnouncingService,
    PreparingService,
    SharingService,
    SendingService,
    ShareAnswersService,
    ReceivingService,
    OpeningService,
    EncryptedResourceRepository,
    WrappedKeyRepository,
    FileKeysService,
    ContentService,
    KeySendingService,
    ReceivingKeysService,
    RotationRepository,
    AudienceService,
    RotationWishes,
    RotationsService,
    AudienceWorker,
    NewKeyWorker,
    KeyAgeWorker,
    RewrapWorker,
    RetellingWorker,
    CredentialRenewalRepository,
    CredentialsService,
    CredentialsWorker,
    KeyExpiryWorker,
    ShareMetrics,
    NoticesWorker,
    RecipientsWorker,
    AnswersWorker,
    ExpiryWorker,
  ],
  controllers: [
    SharesController,
    EfssSharesController,
    EfssReceivedSharesController,
    RotationsController,
    ContentController,
  ],
  exports: [ReceivedShareRepository, ShareAnswersService, ReceivingService, ReceivingKeysService],
})
export class SharesModule {
  constructor(
    poller: Poller,
    notices: NoticesWorker,
    recipients: RecipientsWorker,
    answers: AnswersWorker,
    expiry: ExpiryWorker,
    rewrap: RewrapWorker,
    retelling: RetellingWorker,
    credentials: CredentialsWorker,
    keyExpiry: KeyExpiryWorker,
    audience: AudienceWorker,
    newKeys: NewKeyWorker,
    keyAge: KeyAgeWorker,
  ) {
    poller.add(audience, { everyMs: 1_000 });
    poller.add(newKeys, { everyMs: 1_000 });
    poller.add(keyAge, { everyMs: 3_600_000 });
    poller.add(recipients, { everyMs: 1_000 });
    poller.add(credentials, { everyMs: 1_000 });
    poller.add(retelling, { everyMs: 5_000 });
    poller.add(rewrap, { everyMs: 1_000 });
    poller.add(keyExpiry, { everyMs: 60_000 });
    poller.add(notices, { everyMs: 2_000, loops: 4 });
    poller.add(answers, { everyMs: 1_000 });
    poller.add(expiry, { everyMs: 30_000 });
  }
}
