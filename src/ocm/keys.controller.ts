import { Body, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { Config } from '../platform/config.js';
import { ResealingWorker } from '../platform/resealing.worker.js';
import { Vault } from '../platform/vault.service.js';
import { keyKind, keysAnswer, rotation, showKey } from './key-answers.js';
import type { KeyKind } from './key-rotation.js';
import { ServerKeysService } from './server-keys.service.js';

@ApiTags('Keys')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/keys')
export class KeysController {
  constructor(
    private readonly keys: ServerKeysService,
    private readonly vault: Vault,
    private readonly resealing: ResealingWorker,
    private readonly config: Config,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the keys that sign, and those that seal the database',
    description:
      'Never the keys themselves. `values`: how many values are sealed with a key; with 0 one that does not seal any more may be taken out of the configuration.',
  })
  @ApiOkResponse({ standardSchema: keysAnswer })
  async list(): Promise<z.input<typeof keysAnswer>> {
    const counts = await this.resealing.count();
    const [first] = this.vault.keyIds;
    return {
      keys: (await this.keys.all()).map((row) => showKey(row, this.config.tokenLifetimeMs)),
      sealing: this.vault.keyIds.map((id) => ({ id, seals: id === first, values: counts.get(id) ?? 0 })),
    };
  }

  @Post(':kind/rotate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Make a new signing key',
    description:
      '`with-overlap`: published now, signs in six hours, and the one before stays published as long as what it signed is valid. `at-once`, for a key that others have got hold of: signs now, and no other of its kind counts any more; other servers may refuse what it signs until they have read our keys anew.',
  })
  @ApiOkResponse({ standardSchema: keysAnswer })
  async rotate(
    @Param('kind', { schema: keyKind }) kind: KeyKind,
    @Body({ schema: rotation }) { how }: z.output<typeof rotation>,
  ): Promise<z.input<typeof keysAnswer>> {
    await (how === 'at-once' ? this.keys.replace(kind) : this.keys.rotate(kind));
    return this.list();
  }
}
