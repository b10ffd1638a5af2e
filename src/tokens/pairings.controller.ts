import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { ASSERTION_ALGORITHMS, type Pairing, PAIRING_METHODS } from './pairing.js';
import { PairingsService } from './pairings.service.js';

const EXAMPLE = {
  clientId: 'hub.example.org',
  method: 'signature' as const,
  integrationApi: 'https://hub.example.org/ocm-integration',
};
const SHOWN = { ...EXAMPLE, jwks: null, tokenEndPoint: null, createdAt: '2027-01-04T09:00:00.000Z' };

/** Public members alone, so that nobody hands a private key over by mistake. */
const publicJwk = z.strictObject({
  kid: z.string().min(1).max(512),
  alg: z.enum(ASSERTION_ALGORITHMS),
  kty: z.enum(['EC', 'RSA', 'OKP']),
  crv: z.string().max(64).optional(),
  x: z.string().max(1024).optional(),
  y: z.string().max(1024).optional(),
  n: z.string().max(2048).optional(),
  e: z.string().max(64).optional(),
  use: z.literal('sig').optional(),
});
const clientId = z.string().regex(/^[A-Za-z0-9._:-]{1,255}$/);
const jwks = z.strictObject({ keys: z.array(publicJwk).min(1).max(20) });
const url = z.url({ protocol: /^https?$/ }).max(1024);
const hasKeys = (method: string, tokenEndPoint?: string) => method === 'private_key_jwt' || tokenEndPoint !== undefined;
const newPairing = z
  .strictObject({
    clientId,
    method: z.enum(PAIRING_METHODS),
    jwks: jwks.optional(),
    integrationApi: url.regex(/[^/]$/, 'must not end with a slash').optional(),
    /** It issues tokens in the name of this server, over all shares. */
    tokenEndPoint: url.optional(),
  })
  .refine(({ method, tokenEndPoint, jwks: keys }) => hasKeys(method, tokenEndPoint) === (keys !== undefined), {
    path: ['jwks'],
    message: 'stands there for private_key_jwt and with a tokenEndPoint, and for nothing else',
  })
  .refine(({ tokenEndPoint, integrationApi }) => tokenEndPoint === undefined || integrationApi !== undefined, {
    path: ['integrationApi'],
    message: 'is where a Token Server is told of shares',
  })
  .meta({ example: EXAMPLE });
const pairing = z.object({
  clientId: z.string(),
  method: z.enum(PAIRING_METHODS),
  jwks: jwks.nullable(),
  integrationApi: z.string().nullable(),
  tokenEndPoint: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
const newPairingAnswer = pairing
  .extend({ secret: z.string().nullable() })
  .meta({ examples: [{ ...SHOWN, secret: null }] });
const pairingsAnswer = z.object({ pairings: z.array(pairing) }).meta({ examples: [{ pairings: [SHOWN] }] });

const show = ({ createdAt, jwks: keys, integrationApi, tokenEndPoint, ...rest }: Pairing): z.input<typeof pairing> => ({
  ...rest,
  jwks: keys ? ({ keys: [...keys.keys] } as z.input<typeof jwks>) : null,
  integrationApi: integrationApi ?? null,
  tokenEndPoint: tokenEndPoint ?? null,
  createdAt: createdAt.toISOString(),
});

/** Protocol servers that serve resources of this server. */
@ApiTags('Pairings')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/pairings')
export class PairingsController {
  constructor(private readonly pairings: PairingsService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Pair a protocol server',
    description:
      '`method` says how it shows who it is when it asks about tokens. With `signature` it signs its requests, and `clientId` ' +
      'is its host. With `client_secret_basic` it shows a secret, which stands in this answer and nowhere else. With ' +
      '`private_key_jwt` it shows JWTs that a key of `jwks` signed. With `none` it asks about none. Shares that name it are ' +
      'made known to it over its `integrationApi` before anybody hears of them. With a `tokenEndPoint` it issues the tokens of ' +
      'all shares in the name of this server, with the keys of `jwks`; there is one such server at most.',
  })
  @ApiCreatedResponse({ standardSchema: newPairingAnswer })
  async add(
    @Body({ schema: newPairing }) body: z.output<typeof newPairing>,
  ): Promise<z.input<typeof newPairingAnswer>> {
    const { jwks: keys, integrationApi, tokenEndPoint, ...named } = body;
    const { pairing: made, secret } = await this.pairings.add({
      ...named,
      ...(keys === undefined ? {} : { jwks: keys }),
      ...(integrationApi === undefined ? {} : { integrationApi }),
      ...(tokenEndPoint === undefined ? {} : { tokenEndPoint }),
    });
    return { ...show(made), secret: secret ?? null };
  }

  @Get()
  @ApiOperation({ summary: 'List the paired protocol servers' })
  @ApiOkResponse({ standardSchema: pairingsAnswer })
  async list(): Promise<z.input<typeof pairingsAnswer>> {
    return { pairings: (await this.pairings.list()).map(show) };
  }

  @Delete(':clientId')
  @HttpCode(204)
  @ApiOperation({ summary: 'End a pairing' })
  @ApiNoContentResponse()
  async remove(@Param('clientId', { schema: clientId }) id: string): Promise<void> {
    await this.pairings.remove(id);
  }
}
