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
import { type Pairing, PAIRING_METHODS } from './pairing.js';
import { PairingsService } from './pairings.service.js';

const EXAMPLE = { clientId: 'hub.example.org', method: 'signature' as const };

const clientId = z.string().regex(/^[A-Za-z0-9._:-]{1,255}$/);
const newPairing = z.strictObject({ clientId, method: z.enum(PAIRING_METHODS) }).meta({ example: EXAMPLE });
const pairing = z.object({ clientId: z.string(), method: z.enum(PAIRING_METHODS), createdAt: z.iso.datetime() });
const newPairingAnswer = pairing
  .extend({ secret: z.string().nullable() })
  .meta({ examples: [{ ...EXAMPLE, createdAt: '2027-01-04T09:00:00.000Z', secret: null }] });
const pairingsAnswer = z
  .object({ pairings: z.array(pairing) })
  .meta({ examples: [{ pairings: [{ ...EXAMPLE, createdAt: '2027-01-04T09:00:00.000Z' }] }] });

const show = ({ createdAt, ...rest }: Pairing): z.input<typeof pairing> => ({
  ...rest,
  createdAt: createdAt.toISOString(),
});

/** Protocol servers that may ask whether a token is good. */
@ApiTags('Pairings')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/pairings')
export class PairingsController {
  constructor(private readonly pairings: PairingsService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Let a protocol server ask about tokens',
    description:
      'With `signature` it signs its requests, and `clientId` is its host. With `client_secret_basic` it shows a secret, ' +
      'which stands in this answer and nowhere else.',
  })
  @ApiCreatedResponse({ standardSchema: newPairingAnswer })
  async add(
    @Body({ schema: newPairing }) body: z.output<typeof newPairing>,
  ): Promise<z.input<typeof newPairingAnswer>> {
    const { pairing: made, secret } = await this.pairings.add(body.clientId, body.method);
    return { ...show(made), secret: secret ?? null };
  }

  @Get()
  @ApiOperation({ summary: 'List the protocol servers that may ask about tokens' })
  @ApiOkResponse({ standardSchema: pairingsAnswer })
  async list(): Promise<z.input<typeof pairingsAnswer>> {
    return { pairings: (await this.pairings.list()).map(show) };
  }

  @Delete(':clientId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Let a protocol server ask no more' })
  @ApiNoContentResponse()
  async remove(@Param('clientId', { schema: clientId }) id: string): Promise<void> {
    await this.pairings.remove(id);
  }
}
