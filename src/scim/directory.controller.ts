import { createHash } from 'node:crypto';
import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { isCurrent } from '../membership/etag.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { SCIM_TYPE } from '../platform/scim-error.js';
import { DirectoryService } from './directory.service.js';
import { project } from './projection.js';
import type { JsonObject } from './schema.js';
import { GROUPS, USERS } from './schemas.js';
import { searchOfBody, searchOfQuery, wishOf } from './search-request.js';

/** Users and groups, to be read. RFC 7644 section 3.4 */
@ApiExcludeController()
@UseGuards(ApiKeyGuard)
@Controller('scim/v2')
export class DirectoryController {
  constructor(private readonly directory: DirectoryService) {}

  @Get('Groups')
  async groups(
    @Query() query: unknown,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    return listed(reply, known, await this.directory.groups(searchOfQuery(query)));
  }

  @Get('Users')
  async users(
    @Query() query: unknown,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    return listed(reply, known, await this.directory.users(searchOfQuery(query)));
  }

  @Get('Groups/:id')
  async group(
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    const wish = wishOf(query);
    return single(reply, known, await this.directory.group(id), (whole) => project(GROUPS, whole, wish));
  }

  @Get('Users/:id')
  async user(
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    const wish = wishOf(query);
    return single(reply, known, await this.directory.user(id), (whole) => project(USERS, whole, wish));
  }

  @Post('Groups/.search')
  @HttpCode(200)
  searchGroups(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<JsonObject> {
    void reply.type(SCIM_TYPE);
    return this.directory.groups(searchOfBody(body));
  }

  @Post('Users/.search')
  @HttpCode(200)
  searchUsers(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<JsonObject> {
    void reply.type(SCIM_TYPE);
    return this.directory.users(searchOfBody(body));
  }
}

function listed(reply: FastifyReply, known: string | undefined, answer: JsonObject): JsonObject | undefined {
  const digest = createHash('sha256').update(JSON.stringify(answer)).digest('base64url').slice(0, 27);
  return unlessKnown(reply, known, `W/"${digest}"`, answer);
}

/** The version is of the whole resource, whatever is shown of it. RFC 7644 section 3.14 */
function single(
  reply: FastifyReply,
  known: string | undefined,
  whole: JsonObject,
  show: (whole: JsonObject) => JsonObject,
): JsonObject | undefined {
  return unlessKnown(reply, known, (whole['meta'] as { version: string }).version, show(whole));
}

function unlessKnown(
  reply: FastifyReply,
  known: string | undefined,
  etag: string,
  answer: JsonObject,
): JsonObject | undefined {
  void reply.type(SCIM_TYPE).header('etag', etag).header('cache-control', 'private, no-cache');
  if (!isCurrent(known, etag.replace(/^W\//, ''))) return answer;
  void reply.status(304);
  return undefined;
}
