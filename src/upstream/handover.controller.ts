import { Body, Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../kernel/fault.js';
import type { JwkSet } from '../ocm/jwk-set.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { type ByteBody, BYTES, TakesBytes } from '../platform/byte-body.provider.js';
import { Config } from '../platform/config.js';
import { HandoverService } from './handover.service.js';
import { pairs } from './passed-fields.js';

/** Says whether an answer is to be passed on. */
const VERDICT = 'covey-handover';
const OBJECT = { schema: { type: 'object' } } as const;

/** For a file platform that keeps its own OCM endpoint, and hands over what is ours. */
@ApiTags('Handover')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/handover')
export class HandoverController {
  constructor(
    private readonly handover: HandoverService,
    private readonly config: Config,
  ) {}

  @Post()
  @TakesBytes()
  @ApiConsumes(BYTES)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiHeader({ name: 'Covey-Method', description: 'The method of the original request' })
  @ApiHeader({ name: 'Covey-Target', description: 'Its path and query, as in the request line' })
  @ApiHeader({ name: 'Covey-Field-Host', description: 'Its `Host`, and likewise every other field that it has' })
  @ApiOperation({
    summary: 'Hand over a request of another server',
    description:
      'The body is that of the original, to the byte. With `Covey-Handover: answered` this is the answer to it: pass on the ' +
      'status, the fields and the body. Without that field the handing over failed, and the other server should be told 503.',
  })
  @ApiOkResponse({ description: '`Covey-Handover: answered`, with this or any other status' })
  @ApiNoContentResponse({ description: '`Covey-Handover: not-ours`: the request is for the file platform itself' })
  async take(
    @Req() request: FastifyRequest,
    @Body() body: ByteBody | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const handed = await this.handover.take(request.raw.rawHeaders, await this.whole(request, body), request.ip);
    if (!handed) {
      await reply.status(204).header(VERDICT, 'not-ours').send();
      return;
    }
    for (const [name, value] of pairs(handed.fields)) void reply.header(name, value);
    await reply.status(handed.status).header(VERDICT, 'answered').send(handed.body);
  }

  @Post('discovery')
  @HttpCode(200)
  @ApiBody(OBJECT)
  @ApiOperation({
    summary: 'Join our fields to your discovery document',
    description: 'Send the document as it would be without us; what comes back is to be published.',
  })
  @ApiOkResponse(OBJECT)
  discovery(@Body() document: unknown): object {
    return this.handover.joinDiscovery(document);
  }

  @Post('jwks')
  @HttpCode(200)
  @ApiBody(OBJECT)
  @ApiOperation({
    summary: 'Join our keys to your JWK Set',
    description: 'What comes back is to be published at the `jwksUri` of the joint discovery document.',
  })
  @ApiOkResponse(OBJECT)
  jwks(@Body() keys: unknown): JwkSet {
    return this.handover.joinJwkSet(keys);
  }

  /** Throws `body.too-large`. */
  private async whole({ headers }: FastifyRequest, body: ByteBody | undefined): Promise<Buffer> {
    const { bodyLimit } = this.config;
    const tooLarge = () => new Fault('body.too-large', { bodyLimit });
    if (Number(headers['content-length'] ?? 0) > bodyLimit) throw tooLarge();
    const taken: Uint8Array[] = [];
    let length = 0;
    for await (const part of body ?? []) {
      length += part.length;
      if (length > bodyLimit) throw tooLarge();
      taken.push(part);
    }
    return Buffer.concat(taken);
  }
}
