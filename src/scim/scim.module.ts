import { Module } from '@nestjs/common';
import { GroupsModule } from '../groups/groups.module.js';
import { MembershipModule } from '../membership/membership.module.js';
import { MlsModule } from '../mls/mls.module.js';
import { DirectoryController } from './directory.controller.js';
import { DirectoryService } from './directory.service.js';
import { ExternalIdRepository, GroupExternalIdRow, UserExternalIdRow } from './external-id.repository.js';
import { GroupWriter } from './group-writer.service.js';
import { MetadataController } from './metadata.controller.js';
import { UnsupportedController } from './unsupported.controller.js';
import { UserWriter } from './user-writer.service.js';
import { WritingController } from './writing.controller.js';
import { WritingService } from './writing.service.js';

export const SCIM_ROWS = [UserExternalIdRow, GroupExternalIdRow];

@Module({
  imports: [MlsModule, GroupsModule, MembershipModule],
  providers: [DirectoryService, ExternalIdRepository, UserWriter, GroupWriter, WritingService],
  controllers: [MetadataController, DirectoryController, WritingController, UnsupportedController],
})
export class ScimModule {}
