import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Announcement } from './announcement.service.js';
import { PUBLISHED_FOR } from './jwks.controller.js';

/** `GET /.well-known/ocm`. OCM core, OCM API Discovery */
@ApiExcludeController()
@Controller('.well-known/ocm')
export class DiscoveryController {
  constructor(private readonly announcement: Announcement) {}

  @Get()
  @Header('cache-control', PUBLISHED_FOR)
  discovery(): Promise<object> {
    return this.announcement.discovery();
  }
}
