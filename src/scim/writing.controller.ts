import {
  Body,
  Controller,
  Delete,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
  UseGuards,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { hostOf, ocmAddress, type OcmAddress } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { Config } from '../platform/config.js';
import { IdempotencyKey } from '../platform/idempotency-key.decorator.js';
import type { IdempotencyKey as Key } from '../platform/idempotency.repository.js';
import { SCIM_TYPE } from '../platform/scim-error.js';
import { DirectoryService } from './directory.service.js';
import { versionOf } from './precondition.js';
import { project } from './projection.js';
import { COLLECTIONS, OfType, RESOURCES } from './resource-type.decorator.js';
import type { JsonObject, ResourceType } from './schema.js';
import { wishOf } from './search-request.js';
import { type Asked, WritingService } from './writing.service.js';

type Head = Readonly<Record<string, string | undefined>>;

/** Users and groups, to be written. What is pending is 202, with the resource as it is now. RFC 7644 sections 3.3, 3.5, 3.6 */
@ApiExcludeController()
@UseGuards(ApiKeyGuard)
@Controller('scim/v2')
export class WritingController {
  constructor(
    private readonly config: Config,
    private readonly writing: WritingService,
    private readonly directory: DirectoryService,
  ) {}

  @Post(COLLECTIONS)
  async create(
    @OfType() type: ResourceType,
    @Query() query: unknown,
    @Headers() head: Head,
    @IdempotencyKey() key: Key | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject> {
    const wish = wishOf(query);
    const whole = await this.directory.one(type, await this.writing.create({ type, by: this.by(head), key }, body));
    void reply.header('location', (whole['meta'] as { readonly location: string }).location);
    return told(reply, 201, whole, project(type, whole, wish));
  }

  @Put(RESOURCES)
  async replace(
    @OfType() type: ResourceType,
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers() head: Head,
    @IdempotencyKey() key: Key | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject> {
    const wish = wishOf(query);
    const { isPending } = await this.writing.replace(this.asked(type, id, head, key), body);
    const whole = await this.directory.one(type, id);
    return told(reply, isPending ? 202 : 200, whole, project(type, whole, wish));
  }

  @Patch(RESOURCES)
  async modify(
    @OfType() type: ResourceType,
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers() head: Head,
    @IdempotencyKey() key: Key | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject> {
    const wish = wishOf(query);
    const { isPending } = await this.writing.modify(this.asked(type, id, head, key), body);
    const whole = await this.directory.one(type, id);
    return told(reply, isPending ? 202 : 200, whole, project(type, whole, wish));
  }

  @Delete(RESOURCES)
  @HttpCode(204)
  async remove(
    @OfType() type: ResourceType,
    @Param('id') id: string,
    @Headers() head: Head,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<void> {
    await this.writing.remove(this.asked(type, id, head, key));
  }

  private asked(type: ResourceType, id: string, head: Head, key: Key | undefined): Asked {
    const precondition = { ifMatch: head['if-match'], ifNoneMatch: head['if-none-match'] };
    return { type, id, precondition, by: this.by(head), key };
  }

  /** In whose name groups are changed. Throws `scim.value` for what is no address of this domain. */
  private by(head: Head): OcmAddress | undefined {
    const text = head['covey-by'];
    if (text === undefined) return this.config.scimBy;
    try {
      const by = ocmAddress(text);
      if (hostOf(by) === this.config.domain) return by;
    } catch (error) {
      if (!isFault(error, 'address.malformed')) throw error;
    }
    throw new Fault('scim.value', { reason: `Covey-By: not an address of ${this.config.domain}` });
  }
}

function told(reply: FastifyReply, status: number, whole: JsonObject, shown: JsonObject): JsonObject {
  void reply.status(status).type(SCIM_TYPE).header('etag', versionOf(whole)).header('cache-control', 'no-store');
  return shown;
}
