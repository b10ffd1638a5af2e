import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
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
import {
  groupParam,
  groupsAmongAnswer,
  groupsOfUserAnswer,
  localMembersAnswer,
  memberAnswer,
  membersAnswer,
  pageQuery,
  someGroups,
  someUsers,
  userParam,
} from './membership-bodies.js';
import type { Standing } from './membership.repository.js';
import { MembershipService } from './membership.service.js';
import { pageOf } from './page.js';

const ASK_AGAIN = 'The ETag changes with each epoch: with `If-None-Match` an unchanged answer is 304.';
const PAGES = 'By address; `next` is the `after` of the next page. When a page has another ETag, begin anew.';

@ApiTags('Membership')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1')
export class MembershipController {
  constructor(private readonly memberships: MembershipService) {}

  @Get('groups/:address/members')
  @ApiOperation({ summary: 'Who is in the group?', description: `On all servers. ${ASK_AGAIN}` })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiOkResponse({ standardSchema: membersAnswer })
  @ApiNotModifiedResponse({ description: 'Nothing has changed since.' })
  async members(
    @Param('address', { schema: groupParam }) group: OcmAddress,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof membersAnswer> | undefined> {
    if (await this.isKnown(reply, known, group)) return undefined;
    const { epoch, members, version } = await this.memberships.members(group);
    return unlessKnown(reply, known, etagOf([version]), () => ({ group, epoch, members: [...members] }));
  }

  @Get('groups/:address/local-members')
  @ApiOperation({ summary: 'Who of this server is in the group?', description: `${PAGES} ${ASK_AGAIN}` })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiOkResponse({ standardSchema: localMembersAnswer })
  @ApiNotModifiedResponse({ description: 'Nothing has changed since.' })
  async localMembers(
    @Param('address', { schema: groupParam }) group: OcmAddress,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof localMembersAnswer> | undefined> {
    if (await this.isKnown(reply, known, group)) return undefined;
    const { epoch, members, version } = await this.memberships.localMembers(group);
    return unlessKnown(reply, known, etagOf([version]), () => {
      const { page, next } = pageOf(members, query);
      return { group, epoch, members: [...page], next };
    });
  }

  @Get('groups/:address/members/:user')
  @ApiOperation({ summary: 'Is this user in the group?', description: `A user of any server. ${ASK_AGAIN}` })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiOkResponse({ standardSchema: memberAnswer })
  @ApiNotModifiedResponse({ description: 'Nothing has changed since.' })
  async member(
    @Param('address', { schema: groupParam }) group: OcmAddress,
    @Param('user', { schema: userParam }) user: OcmAddress,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof memberAnswer> | undefined> {
    const { member, admin, epoch, version } = await this.memberships.standing(group, user);
    return unlessKnown(reply, known, etagOf([version]), () => ({ group, user, member, admin, epoch }));
  }

  @Post('groups/:address/members/check')
  @HttpCode(200)
  @ApiOperation({ summary: 'Which of these users are in the group?', description: 'All answers are of one epoch.' })
  @ApiOkResponse({ standardSchema: membersAnswer })
  async membersAmong(
    @Param('address', { schema: groupParam }) group: OcmAddress,
    @Body({ schema: someUsers }) { users }: z.output<typeof someUsers>,
  ): Promise<z.input<typeof membersAnswer>> {
    const asked = [...new Set(users)];
    const standings = await this.memberships.standings(group, asked);
    const members = asked.flatMap((address, index) => {
      const { member, admin } = standings[index]!;
      return member ? [{ address, admin }] : [];
    });
    return { group, epoch: standings[0]!.epoch, members };
  }

  @Get('users/:address/groups')
  @ApiOperation({
    summary: 'Which groups is this user in?',
    description: `A user of any server; groups without a member of this server are not known here. ${PAGES} ${ASK_AGAIN}`,
  })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiOkResponse({ standardSchema: groupsOfUserAnswer })
  @ApiNotModifiedResponse({ description: 'Nothing has changed since.' })
  async groupsOf(
    @Param('address', { schema: userParam }) user: OcmAddress,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof groupsOfUserAnswer> | undefined> {
    const { groups, etag } = await this.memberships.groupsOf(user);
    return unlessKnown(reply, known, etag, () => {
      const { page, next } = pageOf(groups, query);
      return { user, groups: page.map(showGroup), next };
    });
  }

  @Post('users/:address/groups/check')
  @HttpCode(200)
  @ApiOperation({ summary: 'Which of these groups is the user in?', description: 'All answers are of one moment.' })
  @ApiOkResponse({ standardSchema: groupsAmongAnswer })
  async groupsAmong(
    @Param('address', { schema: userParam }) user: OcmAddress,
    @Body({ schema: someGroups }) body: z.output<typeof someGroups>,
  ): Promise<z.input<typeof groupsAmongAnswer>> {
    const asked = new Set(body.groups);
    const { groups } = await this.memberships.groupsOf(user);
    return { user, groups: groups.filter(({ address }) => asked.has(address)).map(showGroup) };
  }

  /** Answers 304 before any member is looked at. */
  private async isKnown(reply: FastifyReply, known: string | undefined, group: OcmAddress): Promise<boolean> {
    if (known === undefined) return false;
    const etag = await this.memberships.etag(group);
    return unlessKnown(reply, known, etag, () => true) === undefined;
  }
}

const showGroup = ({ address: group, epoch, admin }: Pick<Standing, 'address' | 'epoch' | 'admin'>) => ({
  group,
  epoch,
  admin,
});

function unlessKnown<T>(reply: FastifyReply, known: string | undefined, etag: string, answer: () => T): T | undefined {
  void reply.header('etag', etag).header('cache-control', 'private, no-cache');
  if (!isCurrent(known, etag)) return answer();
  void reply.status(304);
  return undefined;
}
