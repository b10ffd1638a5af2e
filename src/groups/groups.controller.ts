import { Body, Controller, Get, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { addressField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { Config } from '../platform/config.js';
import { IdempotencyKey } from '../platform/idempotency-key.decorator.js';
import type { IdempotencyKey as Key } from '../platform/idempotency.repository.js';
import { groupAnswer, groupsAnswer, newGroup, showGroup, showGroupFacts } from './group-answers.js';
import { LifecycleService } from './lifecycle.service.js';

@ApiTags('Groups')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/groups')
export class GroupsController {
  constructor(
    private readonly config: Config,
    private readonly lifecycle: LifecycleService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the groups that this server knows' })
  @ApiOkResponse({ standardSchema: groupsAnswer })
  async list(): Promise<z.input<typeof groupsAnswer>> {
    return { groups: (await this.lifecycle.all()).map(showGroupFacts) };
  }

  @Post()
  @ApiOperation({
    summary: 'Found a group',
    description: 'Its OCM Address is the identifier under this domain. The creator is its first member and admin.',
  })
  @ApiCreatedResponse({ standardSchema: groupAnswer })
  async create(
    @Body({ schema: newGroup }) { identifier, creator }: z.output<typeof newGroup>,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<z.input<typeof groupAnswer>> {
    const address = ocmAddress(`${identifier}@${this.config.domain}`);
    return showGroup(await this.lifecycle.picture(await this.lifecycle.create(address, creator, key)));
  }

  @Get(':address')
  @ApiOperation({ summary: 'One group with its members, admins, epoch and owner server' })
  @ApiOkResponse({ standardSchema: groupAnswer })
  async get(@Param('address', { schema: addressField }) address: OcmAddress): Promise<z.input<typeof groupAnswer>> {
    return showGroup(await this.lifecycle.picture(address));
  }
}
