import { Controller, Get, Header, Param, Query, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Fault } from '../kernel/fault.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { Config } from '../platform/config.js';
import { SCIM_TYPE } from '../platform/scim-error.js';
import { resourceTypeById, resourceTypes, schemaById, schemas, serviceProviderConfig } from './metadata.js';
import { type Place, placeOf } from './resources.js';
import type { JsonObject } from './schema.js';

/** What this server offers of SCIM. RFC 7644 section 4 */
@ApiExcludeController()
@UseGuards(ApiKeyGuard)
@Controller('scim/v2')
export class MetadataController {
  private readonly place: Place;

  constructor(config: Config) {
    this.place = placeOf(config);
  }

  @Get('ServiceProviderConfig')
  @Header('content-type', SCIM_TYPE)
  config(): JsonObject {
    return serviceProviderConfig(this.place);
  }

  @Get('ResourceTypes')
  @Header('content-type', SCIM_TYPE)
  types(@Query('filter') filter: unknown): JsonObject {
    return unfiltered(filter, resourceTypes(this.place));
  }

  @Get('ResourceTypes/:id')
  @Header('content-type', SCIM_TYPE)
  type(@Param('id') id: string): JsonObject {
    return existing(resourceTypeById(this.place, id));
  }

  @Get('Schemas')
  @Header('content-type', SCIM_TYPE)
  schemas(@Query('filter') filter: unknown): JsonObject {
    return unfiltered(filter, schemas(this.place));
  }

  @Get('Schemas/:id')
  @Header('content-type', SCIM_TYPE)
  schema(@Param('id') id: string): JsonObject {
    return existing(schemaById(this.place, id));
  }
}

/** A filter could hide what a client must know. RFC 7644 section 4 */
function unfiltered(filter: unknown, answer: JsonObject): JsonObject {
  if (filter !== undefined) throw new Fault('scim.unfiltered');
  return answer;
}

function existing(found: JsonObject | undefined): JsonObject {
  if (!found) throw new Fault('not-found');
  return found;
}
