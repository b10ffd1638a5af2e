import { Body, Controller, Header, Headers, HttpCode, Post, UseFilters, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Host } from '../kernel/address.js';
import { Peer } from '../ocm/peer.decorator.js';
import { SignatureGuard, SignedBy } from '../ocm/signature.guard.js';
import { Outbox } from '../outbox/outbox.service.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import { tokenForm } from './token-form.js';
import { type TokenAnswer, TokensService } from './tokens.service.js';

/** `POST {tokenEndPoint}`, always signed. OCM core, Code Flow */
@ApiExcludeController()
@Controller('ocm/token')
@UseGuards(SignatureGuard)
@UseFilters(OAuthErrorFilter)
export class TokenController {
  constructor(
    private readonly tokens: TokensService,
    private readonly outbox: Outbox,
  ) {}

  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Header('pragma', 'no-cache')
  @SignedBy('client_id')
  async exchange(
    @Peer() from: Host,
    @Headers('content-type') type: string | undefined,
    @Body() body: unknown,
  ): Promise<TokenAnswer> {
    this.outbox.heardFrom(from);
    return this.tokens.exchange(from, tokenForm(type, body));
  }
}
