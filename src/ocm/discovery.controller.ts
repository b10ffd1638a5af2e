import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Config } from '../platform/config.js';
import { Delegation } from './delegation.provider.js';
import { discoveryDocument } from './discovery.js';
import { PUBLISHED_FOR } from './jwks.controller.js';

/** `GET /.well-known/ocm`. OCM core, OCM API Discovery */
@ApiExcludeController()
@Controller('.well-known/ocm')
export class DiscoveryController {
  constructor(
    private readonly config: Config,
    private readonly delegation: Delegation,
  ) {}

  @Get()
  @Header('cache-control', PUBLISHED_FOR)
  discovery(): object {
    const { endPoint, providerName: provider } = this.config;
    return discoveryDocument({ endPoint, provider, tokenEndPoint: this.delegation.tokenServer?.tokenEndPoint });
  }
}
