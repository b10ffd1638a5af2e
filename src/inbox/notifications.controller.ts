import { Body, Controller, Post, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { Peer, SignedAt } from '../ocm/peer.decorator.js';
import { SignatureGuard, SignedBy } from '../ocm/signature.guard.js';
import { Outbox } from '../outbox/outbox.service.js';
import { DispatchService } from './dispatch.service.js';

/** `POST {endPoint}/notifications`. OCM core, Notifications; OCM-MLS */
@ApiExcludeController()
@Controller('ocm/notifications')
@UseGuards(SignatureGuard)
export class NotificationsController {
  constructor(
    private readonly dispatcher: DispatchService,
    private readonly outbox: Outbox,
  ) {}

  @Post()
  @SignedBy('senderDomain')
  async receive(
    @Peer() from: Host,
    @SignedAt() signedAt: Date,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    this.outbox.heardFrom(from);
    if (typeof body !== 'object' || body === null) throw new Fault('body.malformed');
    const receipt = await this.dispatcher.dispatch(from, body, signedAt);
    reply.status(receipt.status);
    return receipt.body;
  }
}
