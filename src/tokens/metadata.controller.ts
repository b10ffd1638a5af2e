import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Delegation } from '../ocm/delegation.provider.js';
import { PUBLISHED_FOR } from '../ocm/jwks.controller.js';
import { Config } from '../platform/config.js';
import { issuerOf } from './access-token.js';
import { ASSERTION_ALGORITHMS } from './pairing.js';

/**
 * `GET /.well-known/oauth-authorization-server`, so that ordinary OAuth clients configure themselves. There is no
 * authorization endpoint: codes come with shares. What signs its requests is not in the registry of methods, and so is
 * `none` there. RFC 8414
 */
@ApiExcludeController()
@Controller('.well-known/oauth-authorization-server')
export class MetadataController {
  constructor(
    private readonly config: Config,
    private readonly delegation: Delegation,
  ) {}

  @Get()
  @Header('cache-control', PUBLISHED_FOR)
  metadata(): object {
    const { endPoint, publicUrl, domain } = this.config;
    return {
      issuer: issuerOf(publicUrl, domain),
      token_endpoint: this.delegation.tokenServer?.tokenEndPoint ?? `${endPoint}/token`,
      token_endpoint_auth_methods_supported: ['none'],
      jwks_uri: `${endPoint}/jwks`,
      introspection_endpoint: `${endPoint}/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'none'],
      introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
      introspection_signing_alg_values_supported: [this.config.tokenAlgorithm],
      grant_types_supported: ['authorization_code'],
      response_types_supported: [],
    };
  }
}
