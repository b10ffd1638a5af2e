import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { addressField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { IdempotencyKey } from '../platform/idempotency-key.decorator.js';
import type { IdempotencyKey as Key } from '../platform/idempotency.repository.js';
import type { Wish } from './change.js';
import { ChangesService } from './changes.service.js';
import { byMember, changeAnswer, changesAnswer, leaving, reinitialising, showChange } from './group-answers.js';

type ByMember = z.output<typeof byMember>;
type ChangeAnswer = z.input<typeof changeAnswer>;

const BY =
  '`by` is a member at home on this server. What an admin asks is done; what anybody else asks is proposed to the admins, ' +
  'whose servers show it to them (`/api/v1/approvals`), for 30 days at most.';
const PENDING =
  'Answered at once with a change; it is carried out in the background, since other servers have a say. ' +
  'Its state is at `/api/v1/changes/{id}`.';

/** What people ask for. Each is answered 202 with the change that stands for it. */
@ApiTags('Members and admins')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1')
export class ChangesController {
  constructor(private readonly changes: ChangesService) {}

  @Post('groups/:address/members')
  @HttpCode(202)
  @ApiOperation({ summary: 'Add a user', description: `${BY} ${PENDING}` })
  @ApiAcceptedResponse({ standardSchema: changeAnswer })
  add(
    @Param('address', { schema: addressField }) group: OcmAddress,
    @Body({ schema: byMember }) { address, by }: ByMember,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<ChangeAnswer> {
    return this.take({ kind: 'add', group, subject: address, actor: by }, key);
  }

  @Delete('groups/:address/members/:member')
  @HttpCode(202)
  @ApiOperation({ summary: 'Remove a member', description: `An admin loses that role too. ${BY} ${PENDING}` })
  @ApiAcceptedResponse({ standardSchema: changeAnswer })
  remove(
    @Param('address', { schema: addressField }) group: OcmAddress,
    @Param('member', { schema: addressField }) subject: OcmAddress,
    @Query('by', { schema: addressField }) actor: OcmAddress,
  ): Promise<ChangeAnswer> {
    return this.take({ kind: 'remove', group, subject, actor });
  }

  @Post('groups/:address/leave')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Leave',
    description: `A member of this server leaves by itself; an admin somewhere commits it. ${PENDING}`,
  })
  @ApiAcceptedResponse({ standardSchema: changeAnswer })
  leave(
    @Param('address', { schema: addressField }) group: OcmAddress,
    @Body({ schema: leaving }) { member }: z.output<typeof leaving>,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<ChangeAnswer> {
    return this.take({ kind: 'leave', group, subject: member, actor: member }, key);
  }

  @Post('groups/:address/admins')
  @HttpCode(202)
  @ApiOperation({ summary: 'Appoint a member as admin', description: `${BY} ${PENDING}` })
  @ApiAcceptedResponse({ standardSchema: changeAnswer })
  appoint(
    @Param('address', { schema: addressField }) group: OcmAddress,
    @Body({ schema: byMember }) { address, by }: ByMember,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<ChangeAnswer> {
    return this.take({ kind: 'appoint', group, subject: address, actor: by }, key);
  }

  @Delete('groups/:address/admins/:admin')
  @HttpCode(202)
  @ApiOperation({
    summary: 'End the role of an admin',
    description: `An admin who is also \`by\` resigns; the member stays. The next admin's server takes over. ${BY} ${PENDING}`,
  })
  @ApiAcceptedResponse({ standardSchema: changeAnswer })
  dismiss(
    @Param('address', { schema: addressField }) group: OcmAddress,
    @Param('admin', { schema: addressField }) subject: OcmAddress,
    @Query('by', { schema: addressField }) actor: OcmAddress,
  ): Promise<ChangeAnswer> {
    return this.take({ kind: 'dismiss', group, subject, actor });
  }

  @Post('groups/:address/reinit')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Begin the group anew',
    description:
      'It goes on under its address with fresh keys: the same members and admins, shares and tokens. `by` is a member of ' +
      `the group on this server, and an admin has to approve it. The KeyPackages of all members are fetched first. ${PENDING}`,
  })
  @ApiAcceptedResponse({ standardSchema: changeAnswer })
  reinit(
    @Param('address', { schema: addressField }) group: OcmAddress,
    @Body({ schema: reinitialising }) { by }: z.output<typeof reinitialising>,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<ChangeAnswer> {
    return this.take({ kind: 'reinit', group, subject: group, actor: by }, key);
  }

  @Get('groups/:address/changes')
  @ApiOperation({ summary: 'What was asked of a group lately, newest first' })
  @ApiOkResponse({ standardSchema: changesAnswer })
  async ofGroup(@Param('address', { schema: addressField }) group: OcmAddress): Promise<z.input<typeof changesAnswer>> {
    return { changes: (await this.changes.ofGroup(group)).map(showChange) };
  }

  @Get('changes/:id')
  @ApiOperation({ summary: 'How a change stands' })
  @ApiOkResponse({ standardSchema: changeAnswer })
  async get(@Param('id', { schema: z.uuid() }) id: string): Promise<ChangeAnswer> {
    return showChange(await this.changes.get(id));
  }

  @Delete('changes/:id')
  @ApiOperation({
    summary: 'Withdraw a change',
    description:
      'Possible until it stands in a Commit, and for a leave until it was proposed. What other servers were asked already ' +
      'may still be approved there for an hour.',
  })
  @ApiOkResponse({ standardSchema: changeAnswer })
  async withdraw(@Param('id', { schema: z.uuid() }) id: string): Promise<ChangeAnswer> {
    await this.changes.withdraw(id);
    return showChange(await this.changes.get(id));
  }

  private async take(wish: Wish, key?: Key): Promise<ChangeAnswer> {
    return showChange(await this.changes.get(await this.changes.request(wish, key)));
  }
}
