import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { sameBytes, utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { Config } from './config.js';
import { Metrics } from './metrics.service.js';

@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly config: Config,
  ) {}

  /** With `COVEY_METRICS_TOKEN` for whoever has it; without it for this machine, when nothing was forwarded. */
  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  read(@Req() request: FastifyRequest): Promise<string> {
    const { metricsToken } = this.config;
    const allowed = metricsToken === undefined ? isLocal(request) : hasToken(request, metricsToken);
    if (!allowed) throw new Fault(metricsToken === undefined ? 'not-found' : 'api-key.missing');
    return this.metrics.text();
  }
}

function isLocal({ raw, headers }: FastifyRequest): boolean {
  const address = raw.socket.remoteAddress;
  const forwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return !forwarded && address !== undefined && ipaddr.process(address).range() === 'loopback';
}

const hasToken = ({ headers }: FastifyRequest, token: string): boolean =>
  sameBytes(utf8(headers.authorization ?? ''), utf8(`Bearer ${token}`));
