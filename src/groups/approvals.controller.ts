import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { approvalAnswer, approvalsAnswer, approving, declining, inboxQuery, showApproval } from './approval-answers.js';
import { APPROVAL_STATES, type ApprovalState } from './approval.js';
import { ApprovalsService } from './approvals.service.js';

type ApprovalAnswer = z.input<typeof approvalAnswer>;

const DECIDED = '`by` is an admin of the group on this server. Of several the first one decides, the next gets 409.';

/** What members propose and an admin has to approve. */
@ApiTags('Approvals')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/approvals')
export class ApprovalsController {
  constructor(private readonly approvals: ApprovalsService) {}

  @Get()
  @ApiOperation({
    summary: 'What an admin is asked to approve, over all groups, oldest first',
    description: '`admin` is a user of this server. `effect` says what it would change. At most 200 at a time.',
  })
  @ApiQuery({ name: 'state', required: false, enum: APPROVAL_STATES, description: '`open` when left out' })
  @ApiOkResponse({ standardSchema: approvalsAnswer })
  async ofAdmin(
    @Query('admin', { schema: inboxQuery.admin }) admin: OcmAddress,
    @Query('state', { schema: inboxQuery.state }) state: ApprovalState,
  ): Promise<z.input<typeof approvalsAnswer>> {
    return { approvals: (await this.approvals.ofAdmin(admin, state)).map(showApproval) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One approval and how it was decided' })
  @ApiOkResponse({ standardSchema: approvalAnswer })
  async get(@Param('id', { schema: z.uuid() }) id: string): Promise<ApprovalAnswer> {
    return showApproval(await this.approvals.get(id));
  }

  @Post(':id/approve')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Approve',
    description: `${DECIDED} It becomes a change in the name of that admin: see \`/api/v1/changes/{change}\`.`,
  })
  @ApiOkResponse({ standardSchema: approvalAnswer })
  async approve(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: approving }) { by }: z.output<typeof approving>,
  ): Promise<ApprovalAnswer> {
    await this.approvals.approve(id, by);
    return this.get(id);
  }

  @Post(':id/decline')
  @HttpCode(200)
  @ApiOperation({ summary: 'Decline', description: `${DECIDED} It is not asked again for 30 days.` })
  @ApiOkResponse({ standardSchema: approvalAnswer })
  async decline(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: declining }) { by, reason }: z.output<typeof declining>,
  ): Promise<ApprovalAnswer> {
    await this.approvals.decline(id, by, reason);
    return this.get(id);
  }
}
