import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Announcement } from './announcement.service.js';
import type { JwkSet } from './jwk-set.js';

/** Short enough that a new key is known before it is missed. */
export const PUBLISHED_FOR = 'public, max-age=300';

/** The JWK Set at the `jwksUri` and, the same document, where servers before core -07 look for it. D-05 */
@ApiExcludeController()
@Controller()
export class JwksController {
  constructor(private readonly announcement: Announcement) {}

  @Get(['ocm/jwks', '.well-known/jwks.json'])
  @Header('cache-control', PUBLISHED_FOR)
  @Header('content-type', 'application/jwk-set+json')
  jwkSet(): Promise<JwkSet> {
    return this.announcement.jwkSet();
  }
}
