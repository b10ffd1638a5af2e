import { Controller, Delete, Get, Patch, Post, Put, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Fault } from '../kernel/fault.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';

const COLLECTIONS = ['Users', 'Groups'];
const RESOURCES = ['Users/:id', 'Groups/:id'];
const METADATA = ['ServiceProviderConfig', 'ResourceTypes', 'ResourceTypes/:id', 'Schemas', 'Schemas/:id'];

/**
 * What SCIM has and this server does not offer is 501 (RFC 7644 section 3.12): writing, bulk, `/Me`, searches across types.
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

  @Post([...COLLECTIONS, 'Bulk', '.search', 'Me'])
  create(): never {
    throw new Fault('scim.not-built');
  }

  @Put([...RESOURCES, 'Me'])
  replace(): never {
    throw new Fault('scim.not-built');
  }

  @Patch([...RESOURCES, 'Me'])
  modify(): never {
    throw new Fault('scim.not-built');
  }

  @Delete([...RESOURCES, 'Me'])
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
  void reply.header('allow', 'GET');
  throw new Fault('method.not-allowed');
}
