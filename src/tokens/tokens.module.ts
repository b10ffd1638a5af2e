import { Module } from '@nestjs/common';
import { OcmModule } from '../ocm/ocm.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { GrantRepository, GrantRow } from './grant.repository.js';
import { TokenController } from './token.controller.js';
import { TokensService } from './tokens.service.js';

export const TOKENS_ROWS = [GrantRow];

@Module({
  imports: [OcmModule, OutboxModule],
  providers: [GrantRepository, TokensService],
  controllers: [TokenController],
  exports: [TokensService],
})
export class TokensModule {}
