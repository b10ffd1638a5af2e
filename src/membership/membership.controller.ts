import { Controller, Get, Headers, Param, Res, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiHeader,
  ApiNotModifiedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { etagOf, isCurrent } from './etag.js';
import { groupParam, groupsOfUserAnswer, memberAnswer, membersAnswer, userParam } from './membership-bodies.js';
import { MembershipService } from './membership.service.js';

const ASK_AGAIN = 'The ETag changes with each epoch: with `If-None-Match` an unchanged answer is 304.';

@ApiTags('Membership')
@ApiBearerAuth()
@ApiHeader({ name: 'If-None-Match', required: false })
@ApiNotModifiedResponse({ description: 'Nothing has changed since.' })
@UseGuards(ApiKeyGuard)
@Controller('api/v1')
export class MembershipController {
  constructor(private readonly memberships: MembershipService) {}

  @Get('groups/:address/members')
  @ApiOperation({ summary: 'Who is in the group?', description: `On all servers. ${ASK_AGAIN}` })
  @ApiOkResponse({ standardSchema: membersAnswer })
  async members(
    @Param('address', { schema: groupParam }) group: OcmAddress,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof membersAnswer> | undefined> {
    const { members, ...found } = await this.memberships.members(group);
    return unlessKnown(reply, known, etagOf([found]), {
      group,
      epoch: found.epoch,
      members: members.map(({ address, admin }) => ({ address, admin })),
    });
  }

  @Get('groups/:address/members/:user')
  @ApiOperation({ summary: 'Is this user in the group?', description: `A user of any server. ${ASK_AGAIN}` })
  @ApiOkResponse({ standardSchema: memberAnswer })
  async member(
    @Param('address', { schema: groupParam }) group: OcmAddress,
    @Param('user', { schema: userParam }) user: OcmAddress,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof memberAnswer> | undefined> {
    const found = await this.memberships.standing(group, user);
    const { member, admin, epoch } = found;
    return unlessKnown(reply, known, etagOf([found]), { group, user, member, admin, epoch });
  }

  @Get('users/:address/groups')
  @ApiOperation({
    summary: 'Which groups is this user in?',
    description: `A user of any server; groups without a member of this server are not known here. ${ASK_AGAIN}`,
  })
  @ApiOkResponse({ standardSchema: groupsOfUserAnswer })
  async groupsOf(
    @Param('address', { schema: userParam }) user: OcmAddress,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof groupsOfUserAnswer> | undefined> {
    const groups = await this.memberships.groupsOf(user);
    return unlessKnown(reply, known, etagOf(groups), {
      user,
      groups: groups.map(({ address: group, epoch, admin }) => ({ group, epoch, admin })),
    });
  }
}

function unlessKnown<T>(reply: FastifyReply, known: string | undefined, etag: string, answer: T): T | undefined {
  void reply.header('etag', etag).header('cache-control', 'private, no-cache');
  if (!isCurrent(known, etag)) return answer;
  void reply.status(304);
  return undefined;
}
