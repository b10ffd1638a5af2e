import { Module } from '@nestjs/common';
import { Admission } from './admission.service.js';
import { DirectoriesWorker } from './directories.worker.js';
import { DirectoryClient } from './directory.client.js';
import { DirectorySources } from './directory-sources.provider.js';
import { DirectoryRepository, DirectoryRow } from './directory.repository.js';
import { PeerLimits } from './peer-limits.service.js';
import { ProviderRepository, ProviderRow } from './provider.repository.js';
import { ProvidersFile } from './providers-file.provider.js';
import { ProvidersService } from './providers.service.js';
import { RuleRepository, RuleRow } from './rule.repository.js';
import { TrustVersion, TrustVersionRow } from './trust-version.repository.js';
import { Trust } from './trust.service.js';

export const TRUST_ROWS = [TrustVersionRow, ProviderRow, RuleRow, DirectoryRow];

const exported = [Admission, PeerLimits, ProvidersFile, ProvidersService, Trust];

/** Who may federate with this server, and how much each may ask. */
@Module({
  providers: [
    ...exported,
    DirectoriesWorker,
    DirectoryClient,
    DirectoryRepository,
    DirectorySources,
    ProviderRepository,
    RuleRepository,
    TrustVersion,
  ],
  exports: exported,
})
export class TrustModule {}
