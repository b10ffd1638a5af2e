import { Body, Controller, Header, Headers, HttpCode, Post, UseFilters, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { z } from 'zod';
import { SignedBy } from '../ocm/signature.guard.js';
import { Caller, CallerGuard } from './caller.guard.js';
import type { Introspection } from './introspection.js';
import { IntrospectionService } from './introspection.service.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import { oauthForm } from './oauth-form.js';

/** The credential as it was presented; no hint helps here, and unknown parameters are ignored. RFC 7662 section 2.1 */
const form = z.object({ token: z.string().min(1).max(16_384) });

/** `POST {introspectionEndPoint}`, for paired protocol servers. OCM-IP, Token Introspection */
@ApiExcludeController()
@Controller('ocm/introspect')
@UseGuards(CallerGuard)
@UseFilters(OAuthErrorFilter)
export class IntrospectionController {
  constructor(private readonly introspection: IntrospectionService) {}

  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @SignedBy('keyid')
  async introspect(
    @Caller() caller: string,
    @Headers('content-type') type: string | undefined,
    @Body() body: unknown,
  ): Promise<Introspection> {
    return this.introspection.introspect(caller, oauthForm(form, type, body).token);
  }
}
