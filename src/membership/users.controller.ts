import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import type { MlsClient } from '../mls/client.repository.js';
import { addressField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { IdempotencyKey } from '../platform/idempotency-key.decorator.js';
import type { IdempotencyKey as Key } from '../platform/idempotency.repository.js';
import { namedUser, newUser, userAnswer, userParam, usersAnswer } from './membership-bodies.js';
import { UsersService } from './users.service.js';

const MOST = 1000;
const page = z.coerce.number().int().min(1).max(MOST).default(100);
const maybeAddress = addressField.optional();

type UserAnswer = z.input<typeof userAnswer>;

const show = ({ address, displayName, active, createdAt }: MlsClient): UserAnswer => ({
  address,
  displayName,
  active,
  createdAt: createdAt.toISOString(),
});

/** Users can be members of groups once they are known here. */
@ApiTags('Users')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @ApiOperation({ summary: 'Make a user known', description: 'Only addresses of the domain of this server.' })
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiCreatedResponse({ standardSchema: userAnswer })
  async add(
    @Body({ schema: newUser }) { address, displayName }: z.output<typeof newUser>,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<UserAnswer> {
    return show(await this.users.add(address, displayName, key));
  }

  @Put(':address')
  @ApiOperation({ summary: 'Make a user known, or change the display name' })
  @ApiOkResponse({ standardSchema: userAnswer })
  @ApiCreatedResponse({ standardSchema: userAnswer })
  async put(
    @Param('address', { schema: userParam }) address: OcmAddress,
    @Body({ schema: namedUser }) { displayName }: z.output<typeof namedUser>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserAnswer> {
    const { user, isNew } = await this.users.put(address, displayName);
    void reply.status(isNew ? 201 : 200);
    return show(user);
  }

  @Get()
  @ApiOperation({ summary: 'List users', description: 'By address; `next` is the `after` of the next page.' })
  @ApiOkResponse({ standardSchema: usersAnswer })
  async list(
    @Query('limit', { schema: page }) limit: number,
    @Query('after', { schema: maybeAddress }) after?: OcmAddress,
  ): Promise<z.input<typeof usersAnswer>> {
    const found = await this.users.list(limit + 1, after);
    const users = found.slice(0, limit);
    return { users: users.map(show), next: found.length > limit ? users.at(-1)!.address : null };
  }

  @Get(':address')
  @ApiOperation({ summary: 'One user' })
  @ApiOkResponse({ standardSchema: userAnswer })
  async get(@Param('address', { schema: userParam }) address: OcmAddress): Promise<UserAnswer> {
    return show(await this.users.get(address));
  }

  @Delete(':address')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Forget a user',
    description: 'Nobody can invite the user any more. To end memberships, remove the user from the groups first.',
  })
  @ApiNoContentResponse()
  async remove(@Param('address', { schema: userParam }) address: OcmAddress): Promise<void> {
    await this.users.remove(address);
  }
}
