import { Body, Controller, Header, Headers, HttpCode, Post, Res, UseFilters, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { SignedBy } from '../ocm/signature.guard.js';
import { Caller, CallerGuard } from './caller.guard.js';
import { type Introspection, INTROSPECTION_TYPE } from './introspection.js';
import { IntrospectionService } from './introspection.service.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import { oauthForm } from './oauth-form.js';

/** The credential as it was presented; no hint helps here, and unknown parameters are ignored. RFC 7662 section 2.1 */
const form = z.object({ token: z.string().min(1).max(16_384) });

const SIGNED = `application/${INTROSPECTION_TYPE}`;
/** Only who names it gets the signed form. RFC 9701 section 4 */
const prefersSigned = (accept: string | undefined): boolean =>
  (accept ?? '').split(',').some((one) => one.split(';')[0]!.trim().toLowerCase() === SIGNED);

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
    @Headers('accept') accept: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Introspection | string> {
    const answer = await this.introspection.introspect(caller, oauthForm(form, type, body).token);
    void reply.header('vary', 'accept');
    if (!prefersSigned(accept)) return answer;
    void reply.type(SIGNED);
    return this.introspection.signed(caller, answer);
  }
}
