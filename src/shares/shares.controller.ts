import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Host } from '../kernel/address.js';
import { Peer } from '../ocm/peer.decorator.js';
import { parseShareNotice } from '../ocm/share-notice.js';
import { SignatureGuard, SignedBy } from '../ocm/signature.guard.js';
import { Outbox } from '../outbox/outbox.service.js';
import { ReceivingService, type ShareAnswer } from './receiving.service.js';

/** `POST {endPoint}/shares`. OCM core, Share Creation Notification */
@ApiExcludeController()
@Controller('ocm/shares')
@UseGuards(SignatureGuard)
export class SharesController {
  constructor(
    private readonly receiving: ReceivingService,
    private readonly outbox: Outbox,
  ) {}

  @Post()
  @HttpCode(201)
  @SignedBy('sender')
  receive(@Peer() from: Host, @Body() body: unknown): Promise<ShareAnswer> {
    this.outbox.heardFrom(from);
    return this.receiving.receive(from, parseShareNotice(body));
  }
}
