import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Readiness, ReadinessService } from './readiness.service.js';

@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(private readonly readiness: ReadinessService) {}

  /** The process lives. Says nothing about what it needs, so that a lost database does not get it killed. */
  @Get('healthz')
  alive(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The process can do its work; otherwise 503, and a load balancer should look elsewhere. */
  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const judged = await this.readiness.judge();
    void reply.header('cache-control', 'no-store').status(judged.ready ? 200 : 503);
    return judged;
  }
}
