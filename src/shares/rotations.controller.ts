import { Body, Controller, Get, Header, HttpCode, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { toBase64url, wipe } from '../kernel/bytes.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { ROTATION_STATES, type RotationState } from './rotation.js';
import {
  newRotation,
  rotationAnswer,
  rotationEnd,
  rotationKeysAnswer,
  rotationProgress,
  rotationsAnswer,
  showRotation,
} from './rotation-bodies.js';
import { RotationsService } from './rotations.service.js';
import { showEncryption } from './share-pictures.js';

const PAGE = 100;
const resourceId = z.uuid();
const maybeResourceId = resourceId.optional();
const maybeState = z.enum(ROTATION_STATES).optional();

/** Files that are to be encrypted under a new key, which the file platform does step by step. */
@ApiTags('File keys')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/rotations')
export class RotationsController {
  constructor(private readonly rotations: RotationsService) {}

  @Get()
  @ApiOperation({
    summary: 'List files that are to have a new key',
    description: 'Without `state`: all that are not done. A hundred a page; `next` is the `after` of the next one.',
  })
  @ApiOkResponse({ standardSchema: rotationsAnswer })
  async list(
    @Query('state', { schema: maybeState }) state?: RotationState,
    @Query('after', { schema: maybeResourceId }) after?: string,
  ): Promise<z.input<typeof rotationsAnswer>> {
    const found = await this.rotations.list({ ...(state ? { state } : {}), ...(after ? { after } : {}) }, PAGE + 1);
    const page = found.slice(0, PAGE);
    return {
      rotations: page.map(showRotation),
      next: found.length > PAGE ? page.at(-1)!.resourceId : null,
    };
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Wish a new key for a shared file',
    description:
      'E.g. because the present one may have leaked. When one is wanted or under way already it is that one.',
  })
  @ApiOkResponse({ standardSchema: rotationAnswer })
  async ask(
    @Body({ schema: newRotation }) { share }: z.output<typeof newRotation>,
  ): Promise<z.input<typeof rotationAnswer>> {
    return showRotation(await this.rotations.ask(share));
  }

  @Get(':resource')
  @ApiOperation({ summary: 'The latest change of the key of a file, and how far it is' })
  @ApiOkResponse({ standardSchema: rotationAnswer })
  async get(@Param('resource', { schema: resourceId }) resource: string): Promise<z.input<typeof rotationAnswer>> {
    return showRotation(await this.rotations.get(resource));
  }

  @Post(':resource/begin')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Get the old and the new key of a file',
    description: 'The same ones again until the change is finished, so that whoever was interrupted may begin again.',
  })
  @ApiOkResponse({ standardSchema: rotationKeysAnswer })
  async begin(
    @Param('resource', { schema: resourceId }) resource: string,
  ): Promise<z.input<typeof rotationKeysAnswer>> {
    const { rotation, encryption, oldKey, newKey } = await this.rotations.begin(resource);
    const answer = {
      rotation: showRotation(rotation),
      encryption: showEncryption(encryption)!,
      oldFileKey: toBase64url(oldKey.bytes),
      newFileKey: toBase64url(newKey.bytes),
    };
    wipe(oldKey.bytes);
    wipe(newKey.bytes);
    return answer;
  }

  @Put(':resource/progress')
  @ApiOperation({ summary: 'Say how much of a file is encrypted under the new key' })
  @ApiOkResponse({ standardSchema: rotationAnswer })
  async progress(
    @Param('resource', { schema: resourceId }) resource: string,
    @Body({ schema: rotationProgress }) { version, bytesDone, bytesTotal }: z.output<typeof rotationProgress>,
  ): Promise<z.input<typeof rotationAnswer>> {
    return showRotation(await this.rotations.progress(resource, version, bytesDone, bytesTotal));
  }

  @Post(':resource/finish')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Say that the stored file is encrypted under the new key',
    description: 'The new key goes to all groups that have access. Once more is no error.',
  })
  @ApiOkResponse({ standardSchema: rotationAnswer })
  async finish(
    @Param('resource', { schema: resourceId }) resource: string,
    @Body({ schema: rotationEnd }) { version }: z.output<typeof rotationEnd>,
  ): Promise<z.input<typeof rotationAnswer>> {
    return showRotation(await this.rotations.finish(resource, version));
  }
}
