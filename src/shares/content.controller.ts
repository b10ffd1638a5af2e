import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { addressField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { type ByteBody, BYTES, TakesBytes } from '../platform/byte-body.provider.js';
import { parseRange, readingAnswer } from './content-range.js';
import { ContentService, type Passing } from './content.service.js';
import { FileKeysService } from './file-keys.service.js';
import type { OpenedKey } from './wrapped-key.js';

const shareId = z.uuid();
const maybeUser = addressField.optional();
const size = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const maybeSize = size.optional();
const range = z.string().max(100);

const BINARY = { schema: { type: 'string', format: 'binary' } } as const;
const ETAG = 'The ETag names this encryption of the file: with `If-Match` parts of two are never mixed (412).';
const ENDS = 'When something is wrong in the middle of the file the connection ends without the end of the answer.';

/** Encrypts and decrypts files for file platforms that do not do so themselves. */
@ApiTags('Content')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1')
export class ContentController {
  constructor(
    private readonly content: ContentService,
    private readonly fileKeys: FileKeysService,
  ) {}

  @Post('shares/:id/content/encrypt')
  @HttpCode(200)
  @TakesBytes()
  @ApiConsumes(BYTES)
  @ApiBody(BINARY)
  @ApiOperation({ summary: 'Encrypt a file that is shared', description: `In the format ocm-stream-1. ${ENDS}` })
  @ApiOkResponse(BINARY)
  async encrypt(
    @Param('id', { schema: shareId }) id: string,
    @Body() body: ByteBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return streamed(await this.content.encrypt(await this.fileKeys.ofShare(id), bytes(body)), reply);
  }

  @Post('shares/:id/content/decrypt')
  @HttpCode(200)
  @TakesBytes()
  @ApiConsumes(BYTES)
  @ApiBody(BINARY)
  @ApiHeader({ name: 'Range', required: false })
  @ApiHeader({ name: 'If-Match', required: false })
  @ApiOperation({
    summary: 'Decrypt a file that is shared, or a part of it',
    description:
      'For a part give `Range: bytes=FIRST-LAST` of the plaintext and the `size` of the ciphertext, and send the first 78 ' +
      `bytes of the ciphertext and behind them what \`content/reading\` names. ${ETAG} ${ENDS}`,
  })
  @ApiOkResponse(BINARY)
  async decrypt(
    @Param('id', { schema: shareId }) id: string,
    @Body() body: ByteBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('range') range?: string,
    @Headers('if-match') ifMatch?: string,
    @Query('size', { schema: maybeSize }) ciphertextSize?: number,
  ): Promise<StreamableFile> {
    return this.open(await this.fileKeys.ofShare(id), body, reply, { range, ifMatch, ciphertextSize });
  }

  @Post('received-shares/:id/content/encrypt')
  @HttpCode(200)
  @TakesBytes()
  @ApiConsumes(BYTES)
  @ApiBody(BINARY)
  @ApiOperation({
    summary: 'Encrypt what a user writes back',
    description: `For who may open the share now, when it gives the right to write. ${ENDS}`,
  })
  @ApiOkResponse(BINARY)
  async encryptReceived(
    @Param('id', { schema: shareId }) id: string,
    @Body() body: ByteBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query('user', { schema: maybeUser }) user?: OcmAddress,
  ): Promise<StreamableFile> {
    return streamed(await this.content.encrypt(await this.fileKeys.toWriteReceived(id, user), bytes(body)), reply);
  }

  @Post('received-shares/:id/content/decrypt')
  @HttpCode(200)
  @TakesBytes()
  @ApiConsumes(BYTES)
  @ApiBody(BINARY)
  @ApiHeader({ name: 'Range', required: false })
  @ApiHeader({ name: 'If-Match', required: false })
  @ApiOperation({
    summary: 'Decrypt a file that a user was given, or a part of it',
    description: `For who may open the share now; otherwise as for a share of this server. ${ENDS}`,
  })
  @ApiOkResponse(BINARY)
  async decryptReceived(
    @Param('id', { schema: shareId }) id: string,
    @Body() body: ByteBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('range') range?: string,
    @Headers('if-match') ifMatch?: string,
    @Query('user', { schema: maybeUser }) user?: OcmAddress,
    @Query('size', { schema: maybeSize }) ciphertextSize?: number,
  ): Promise<StreamableFile> {
    return this.open(await this.fileKeys.ofReceived(id, user), body, reply, { range, ifMatch, ciphertextSize });
  }

  @Get('content/reading')
  @ApiOperation({
    summary: 'Find out which bytes of a ciphertext a part of the plaintext needs',
    description:
      '`range` as in a Range header, `size` of the ciphertext. `last` is the last byte, not the one behind it.',
  })
  @ApiOkResponse({ standardSchema: readingAnswer })
  reading(
    @Query('range', { schema: range }) wanted: string,
    @Query('size', { schema: size }) ciphertextSize: number,
  ): z.input<typeof readingAnswer> {
    const { reading, size: plaintextSize } = this.content.readingOf({ ...parseRange(wanted), ciphertextSize });
    const { start, end } = reading.ciphertext;
    return { first: start, last: end - 1, plaintextSize };
  }

  private async open(
    key: OpenedKey,
    body: ByteBody,
    reply: FastifyReply,
    { range: wanted, ifMatch, ciphertextSize }: Wanted,
  ): Promise<StreamableFile> {
    if (wanted === undefined) return streamed(await this.content.decrypt(key, bytes(body), ifMatch), reply);
    if (ciphertextSize === undefined)
      throw new Fault('content.range', { reason: 'the size of the ciphertext is missing' });
    const { reading, size: whole } = this.content.readingOf({ ...parseRange(wanted), ciphertextSize });
    const passing = await this.content.decryptRange(key, bytes(body), reading, ifMatch);
    const { start, end } = reading.plaintext;
    void reply.status(206).header('content-range', `bytes ${start}-${end - 1}/${whole}`);
    return streamed(passing, reply);
  }
}

/** What of a file, and of which encryption of it. */
interface Wanted {
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ciphertextSize: number | undefined;
}

function bytes(body: ByteBody | undefined): ByteBody {
  if (!body || !(Symbol.asyncIterator in body)) throw new Fault('media-type.unsupported', { expected: BYTES });
  return body;
}

function streamed({ content, etag }: Passing, reply: FastifyReply): StreamableFile {
  if (etag !== undefined) void reply.header('etag', etag);
  return new StreamableFile(Readable.from(content, { objectMode: false }), { type: BYTES });
}
