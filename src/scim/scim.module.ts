import { Module } from '@nestjs/common';
import { MembershipModule } from '../membership/membership.module.js';
import { MlsModule } from '../mls/mls.module.js';
import { DirectoryController } from './directory.controller.js';
import { DirectoryService } from './directory.service.js';
import { MetadataController } from './metadata.controller.js';
import { UnsupportedController } from './unsupported.controller.js';

@Module({
  imports: [MlsModule, MembershipModule],
  providers: [DirectoryService],
  controllers: [MetadataController, DirectoryController, UnsupportedController],
})
export class ScimModule {}
