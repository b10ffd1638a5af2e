import { Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { hostField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { DeliveriesService } from './deliveries.service.js';
import {
  letterAnswer,
  peerAnswer,
  peersAnswer,
  showLane,
  showLetter,
  showPeer,
  triedAgain,
} from './delivery-answers.js';

const letterId = z.uuid();
const laneName = z.string().min(1).max(1024);

@ApiTags('Deliveries')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/deliveries')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveriesService,
    private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the servers that were written to, and how deliveries to them stand',
    description:
      '`failing`: it did not answer or asked for patience, and is tried at `nextTryAt`. `unsupported`: it does not take part in federation; nothing is sent until its discovery document changes. `withheld`: policy lets nothing go there; what waits is kept.',
  })
  @ApiOkResponse({ standardSchema: peersAnswer })
  async list(): Promise<z.input<typeof peersAnswer>> {
    const all = await this.deliveries.all();
    return { peers: all.map(({ peer, counts }) => showPeer(peer.host, peer.health, counts)) };
  }

  @Get('peers/:peer')
  @ApiOperation({
    summary: 'One server: its lanes with what they begin with, and its dead and refused letters with their answers',
    description:
      'Letters of one lane arrive in order. A dead letter was tried as often as allowed; its lane is `stopped` until it is tried again or the server is heard from. A refused letter was answered for good, and its lane went on.',
  })
  @ApiOkResponse({ standardSchema: peerAnswer })
  async get(@Param('peer', { schema: hostField }) host: Host): Promise<z.input<typeof peerAnswer>> {
    const { peer, counts, lanes, trouble } = await this.deliveries.of(host);
    const at = this.clock.now();
    return {
      ...showPeer(peer.host, peer.health, counts),
      lanes: lanes.map((lane) => showLane(lane, at)),
      letters: trouble.map(showLetter),
    };
  }

  @Get('letters/:id')
  @ApiOperation({ summary: 'One letter, without its body' })
  @ApiOkResponse({ standardSchema: letterAnswer })
  async letter(@Param('id', { schema: letterId }) id: string): Promise<z.input<typeof letterAnswer>> {
    return showLetter(await this.deliveries.letter(id));
  }

  @Post('letters/:id/try-again')
  @HttpCode(204)
  @ApiOperation({ summary: 'Try a dead or waiting letter again now, and after it what waits behind it' })
  @ApiNoContentResponse({ description: 'It goes out as soon as a courier is free.' })
  tryLetterAgain(@Param('id', { schema: letterId }) id: string): Promise<void> {
    return this.deliveries.tryLetterAgain(id);
  }

  @Post('peers/:peer/try-again')
  @HttpCode(200)
  @ApiOperation({ summary: 'Try everything that waits for a server again now' })
  @ApiOkResponse({ standardSchema: triedAgain })
  async tryPeerAgain(@Param('peer', { schema: hostField }) peer: Host): Promise<z.input<typeof triedAgain>> {
    return { lanes: await this.deliveries.tryAgain(peer) };
  }

  @Post('peers/:peer/lanes/:lane/try-again')
  @HttpCode(200)
  @ApiOperation({ summary: 'Try one lane of a server again now' })
  @ApiOkResponse({ standardSchema: triedAgain })
  async tryLaneAgain(
    @Param('peer', { schema: hostField }) peer: Host,
    @Param('lane', { schema: laneName }) lane: string,
  ): Promise<z.input<typeof triedAgain>> {
    return { lanes: await this.deliveries.tryAgain(peer, lane) };
  }
}
