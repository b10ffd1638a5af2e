import { Controller, Delete, Get, Patch, Post, Put, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Fault } from '../kernel/fault.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { COLLECTIONS, RESOURCES } from './resource-type.decorator.js';

const METADATA = ['ServiceProviderConfig', 'ResourceTypes', 'ResourceTypes/:id', 'Schemas', 'Schemas/:id'];

/**
 * What SCIM has and this server does not offer is 501 (RFC 7644 section 3.12): bulk, `/Me`, searches across types.
 * What SCIM has not either is 405.
 */
@ApiExcludeController()
@UseGuards(ApiKeyGuard)
@Controller('scim/v2')
export class UnsupportedController {
  @Get(['', 'Me'])
  read(): never {
    throw new Fault('scim.not-built');
  }

  @Post(['Bulk', '.search', 'Me'])
  create(): never {
    throw new Fault('scim.not-built');
  }

  @Put('Me')
  replace(): never {
    throw new Fault('scim.not-built');
  }

  @Patch('Me')
  modify(): never {
    throw new Fault('scim.not-built');
  }

  @Delete('Me')
  remove(): never {
    throw new Fault('scim.not-built');
  }

  @Post([...METADATA, ...RESOURCES])
  noPost(@Res({ passthrough: true }) reply: FastifyReply): never {
    return refuse(reply);
  }

  @Put([...METADATA, ...COLLECTIONS])
  noPut(@Res({ passthrough: true }) reply: FastifyReply): never {
    return refuse(reply);
  }

  @Patch([...METADATA, ...COLLECTIONS])
  noPatch(@Res({ passthrough: true }) reply: FastifyReply): never {
    return refuse(reply);
  }

  @Delete([...METADATA, ...COLLECTIONS])
  noDelete(@Res({ passthrough: true }) reply: FastifyReply): never {
    return refuse(reply);
  }
}

/** RFC 9110 section 15.5.6 */
function refuse(reply: FastifyReply): never {
  const path = reply.request.routeOptions.url ?? '';
  const [ofOne, ofAll] = [RESOURCES, COLLECTIONS].map((all) => all.some((one) => path.endsWith(`/${one}`)));
  void reply.header('allow', ofOne ? 'GET, PUT, PATCH, DELETE' : ofAll ? 'GET, POST' : 'GET');
  throw new Fault('method.not-allowed');
}
