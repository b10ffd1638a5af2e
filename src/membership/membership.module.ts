import { Module } from '@nestjs/common';
import { GroupsModule } from '../groups/groups.module.js';
import { MlsModule } from '../mls/mls.module.js';
import { MembershipCache } from './membership-cache.service.js';
import { MembershipController } from './membership.controller.js';
import { MembershipRepository } from './membership.repository.js';
import { MembershipService } from './membership.service.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [MlsModule, GroupsModule],
  providers: [MembershipRepository, MembershipCache, MembershipService, UsersService],
  controllers: [MembershipController, UsersController],
  exports: [MembershipRepository, UsersService],
})
export class MembershipModule {}
