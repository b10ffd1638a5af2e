import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { epoch } from '../kernel/ids.js';
import { Peer } from '../ocm/peer.decorator.js';
import { SignatureGuard, SignedAnswer, SignedBy } from '../ocm/signature.guard.js';
import { groupIdField } from '../ocm/wire-body.js';
import { missedCommitsAnswer } from './missed-commits.js';
import { MissedCommitsService } from './missed-commits.service.js';

const question = z.object({
  mlsGroupId: groupIdField,
  fromEpoch: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform((text) => epoch(Number(text))),
});

/** `GET {endPoint}/mls-commits?mlsGroupId=...&fromEpoch=...`, signed both ways: an extension of ours. D-06, D-11 */
@ApiExcludeController()
@UseGuards(SignatureGuard)
@SignedBy('keyid')
@Controller('ocm/mls-commits')
export class MissedCommitsController {
  constructor(private readonly missed: MissedCommitsService) {}

  @Get()
  @SignedAnswer()
  async since(@Peer() from: Host, @Query() query: unknown): Promise<ReturnType<typeof missedCommitsAnswer>> {
    const asked = question.safeParse(query);
    if (!asked.success) throw new Fault('request.malformed', { reason: 'mlsGroupId and fromEpoch are needed, once' });
    const { mlsGroupId, fromEpoch } = asked.data;
    return missedCommitsAnswer(mlsGroupId, await this.missed.since(from, mlsGroupId, fromEpoch));
  }
}
