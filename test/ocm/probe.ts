import { Body, Controller, Get, Post, Query, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { expect } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { Peer } from '../../src/ocm/peer.decorator.js';
import { SignatureGuard, SignedBy } from '../../src/ocm/signature.guard.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { boot, NOW, OUR_HOST } from './boot.js';
import { FakePeer } from './fake-peer.js';
import { golden } from './golden.js';
import { StubNetwork } from './stub-network.js';

@Controller('ocm/probe')
@UseGuards(SignatureGuard)
class ProbeController {
  @Post('notifications')
  @SignedBy('senderDomain')
  notification(@Peer() from: string, @Body() body: unknown): object {
    return { from, body };
  }

  @Post('shares')
  @SignedBy('sender')
  share(@Peer() from: string): object {
    return { from };
  }

  @Post('token')
  @SignedBy('client_id')
  token(@Peer() from: string, @Body() form: unknown): object {
    return { from, form };
  }

  @Get('packages')
  @SignedBy('keyid')
  packages(@Peer() from: string, @Query('userId') userId: string): object {
    return { from, userId };
  }
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}
export type Changes = Readonly<Record<string, string | undefined>>;

export const urlOf = (path: string): string => `https://${OUR_HOST}/ocm/probe/${path}`;
export const refused = (code: string, status = 401) => ({ status, body: expect.objectContaining({ code }) as object });

/** One of our servers with guarded handlers, and a peer that talks to it. */
export class Probe {
  readonly clock = new TestClock(NOW);
  readonly network = new StubNetwork();
  peer = new FakePeer('peer-0.test', this.network);
  private peers = 0;
  private boots = 0;

  private constructor(
    readonly lease: Lease,
    public app: NestFastifyApplication,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<Probe> {
    const probe = new Probe(await leaseDatabase(), undefined as never);
    probe.app = await probe.boot(environment);
    return probe;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.lease.release();
  }

  /** Nobody has heard of this one, and what was signed before is a second old. */
  nextPeer(): void {
    this.peer = new FakePeer(`peer-${++this.peers}.test`, this.network);
    this.clock.advanceSeconds(1);
  }

  /** One more replica beside `app`, or instead of it where the database serves one process only. */
  async withReplica(environment: Record<string, string>, work: (replica: NestFastifyApplication) => Promise<void>) {
    const alone = this.lease.kind === 'embedded';
    if (alone) await this.app.close();
    const replica = await this.boot(environment);
    await work(replica);
    await replica.close();
    if (alone) this.app = await this.boot();
  }

  notification = (from = this.peer.host): object => ({ ...(golden('mls-commit') as object), senderDomain: from });

  async deliver(path: string, method: 'GET' | 'POST', headers: Changes, body = '', on = this.app): Promise<Answer> {
    const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const answer = await on.inject({
      method,
      url: `/ocm/probe/${path}`,
      headers: sent,
      ...(body && { payload: body }),
    });
    return { status: answer.statusCode, body: answer.json() };
  }

  /** The fields of a notification that `peer` signs now. */
  signed = (body: string, key = this.peer.key): Record<string, string> =>
    this.peer.sign('POST', urlOf('notifications'), utf8(body), this.clock.now(), key);

  /** A notification that `peer` signed, with fields changed afterwards. */
  post(changes: Changes = {}, content = this.notification(), key = this.peer.key, on = this.app): Promise<Answer> {
    const body = JSON.stringify(content);
    return this.deliver('notifications', 'POST', { ...this.signed(body, key), ...changes }, body, on);
  }

  private boot(environment: Record<string, string> = {}): Promise<NestFastifyApplication> {
    const { lease, network, clock } = this;
    const seed = `boot ${++this.boots}`;
    return boot({ lease, network, clock, controllers: [ProbeController], environment, seed });
  }
}
