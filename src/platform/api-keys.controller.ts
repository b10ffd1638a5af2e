import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiCreatedResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { ApiKeyGuard } from './api-key.guard.js';
import type { ApiKey } from './api-key.repository.js';
import { ApiKeysService } from './api-keys.service.js';

const id = z.uuid();
const newKey = z
  .strictObject({ name: z.string().trim().min(1).max(100) })
  .meta({ examples: [{ name: 'nextcloud.example.org' }] });
const shownKey = z.object({
  id,
  name: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedOn: z.iso.date().nullable(),
  revokedAt: z.iso.datetime().nullable(),
});
const madeKey = shownKey.extend({ text: z.string() }).meta({
  examples: [
    {
      id: '0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11',
      name: 'nextcloud.example.org',
      createdAt: '2026-03-01T12:00:00.000Z',
      lastUsedOn: null,
      revokedAt: null,
      text: 'covey_7m0tqvFh0bGQ2v8fV8e1qQ0kq0Zb7nq1bPq0h3m4k5E',
    },
  ],
});

@ApiTags('API keys')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @ApiOperation({ summary: 'List the API keys, without their texts' })
  @ApiOkResponse({ standardSchema: z.object({ apiKeys: z.array(shownKey) }) })
  async list(): Promise<{ apiKeys: ApiKey[] }> {
    return { apiKeys: await this.keys.list() };
  }

  @Post()
  @ApiOperation({
    summary: 'Make an API key',
    description:
      'Its text is in this answer only: what is kept is a hash. An Idempotency-Key is therefore not heeded here.',
  })
  @ApiCreatedResponse({ standardSchema: madeKey })
  create(@Body({ schema: newKey }) { name }: z.output<typeof newKey>): Promise<ApiKey & { text: string }> {
    return this.keys.create(name);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key' })
  @ApiNoContentResponse({ description: 'It opens nothing any more.' })
  revoke(@Param('id', { schema: id }) key: string): Promise<void> {
    return this.keys.revoke(key);
  }
}
