import { createHash } from 'node:crypto';
import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { isCurrent } from '../membership/etag.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { SCIM_TYPE } from '../platform/scim-error.js';
import { DirectoryService } from './directory.service.js';
import { opaque, versionOf } from './precondition.js';
import { project } from './projection.js';
import { COLLECTIONS, OfType, RESOURCES } from './resource-type.decorator.js';
import type { JsonObject, ResourceType } from './schema.js';
import { searchOfBody, searchOfQuery, wishOf } from './search-request.js';

/** Users and groups, to be read. RFC 7644 section 3.4 */
@ApiExcludeController()
@UseGuards(ApiKeyGuard)
@Controller('scim/v2')
export class DirectoryController {
  constructor(private readonly directory: DirectoryService) {}

  @Get(COLLECTIONS)
  async all(
    @OfType() type: ResourceType,
    @Query() query: unknown,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    const answer = await this.directory.search(type, searchOfQuery(query));
    const digest = createHash('sha256').update(JSON.stringify(answer)).digest('base64url').slice(0, 27);
    return unlessKnown(reply, known, `W/"${digest}"`, answer);
  }

  /** The version is of the whole resource, whatever is shown of it. RFC 7644 section 3.14 */
  @Get(RESOURCES)
  async one(
    @OfType() type: ResourceType,
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    const wish = wishOf(query);
    const whole = await this.directory.one(type, id);
    return unlessKnown(reply, known, versionOf(whole), project(type, whole, wish));
  }

  @Post(COLLECTIONS.map((collection) => `${collection}/.search`))
  @HttpCode(200)
  search(
    @OfType() type: ResourceType,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject> {
    void reply.type(SCIM_TYPE);
    return this.directory.search(type, searchOfBody(body));
  }
}

function unlessKnown(
  reply: FastifyReply,
  known: string | undefined,
  etag: string,
  answer: JsonObject,
): JsonObject | undefined {
  void reply.type(SCIM_TYPE).header('etag', etag).header('cache-control', 'private, no-cache');
  if (!isCurrent(known, opaque(etag))) return answer;
  void reply.status(304);
  return undefined;
}
