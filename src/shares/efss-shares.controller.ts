import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { addressField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { IdempotencyKey } from '../platform/idempotency-key.decorator.js';
import type { IdempotencyKey as Key } from '../platform/idempotency.repository.js';
import { CredentialsService } from './credentials.service.js';
import { FileKeysService } from './file-keys.service.js';
import { SendingService } from './sending.service.js';
import { writtenAnswer, writtenFile } from './rotation-bodies.js';
import { RotationsService } from './rotations.service.js';
import {
  changedShare,
  credentialsAnswer,
  fileKeyAnswer,
  newCredentials,
  newShare,
  shareAnswer,
  sharesAnswer,
} from './share-bodies.js';
import { SharingService } from './sharing.service.js';
import { showFileKey, showShare } from './share-pictures.js';

const PAGE = 100;
const shareId = z.uuid();
const maybeAddress = addressField.optional();
const maybeId = shareId.optional();

/** What users of this server share with groups. */
@ApiTags('Shares')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/shares')
export class EfssSharesController {
  constructor(
    private readonly sharing: SharingService,
    private readonly sending: SendingService,
    private readonly fileKeys: FileKeysService,
    private readonly credentials: CredentialsService,
    private readonly rotations: RotationsService,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Share a resource with a group',
    description:
      'The sender is a user of this server and a member of the group; the owner, when absent, is the sender. Every ' +
      'server with a member in the group is told in the background, each with a secret of its own. `protocolServers` are ' +
      'told before: when one of them does not store the share, there is none.',
  })
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiCreatedResponse({ standardSchema: shareAnswer })
  async create(
    @Body({ schema: newShare }) body: z.output<typeof newShare>,
    @IdempotencyKey() key: Key | undefined,
  ): Promise<z.input<typeof shareAnswer>> {
    const { owner, expiration, resource, encryption, protocolServers, ...rest } = body;
    const { size, description, ...named } = resource;
    const sharing = {
      ...rest,
      owner: owner ?? rest.sender,
      resource: {
        ...named,
        ...(size === undefined ? {} : { size }),
        ...(description === undefined ? {} : { description }),
      },
      ...(encryption === undefined ? {} : { cipher: encryption.cipher }),
      ...(protocolServers === undefined ? {} : { protocolServers }),
      ...(expiration === undefined ? {} : { expiration: new Date(expiration) }),
    };
    const { share, servers } = await this.sending.get(await this.sharing.create(sharing, key));
    return showShare(share, servers);
  }

  @Get()
  @ApiOperation({
    summary: 'List shares, oldest first',
    description: 'A hundred a page; `next` is the `after` of the next one.',
  })
  @ApiOkResponse({ standardSchema: sharesAnswer })
  async list(
    @Query('group', { schema: maybeAddress }) group?: OcmAddress,
    @Query('sender', { schema: maybeAddress }) sender?: OcmAddress,
    @Query('after', { schema: maybeId }) after?: string,
  ): Promise<z.input<typeof sharesAnswer>> {
    const filter = { ...(group ? { group } : {}), ...(sender ? { sender } : {}), ...(after ? { after } : {}) };
    const found = await this.sending.list(filter, PAGE + 1);
    const page = found.slice(0, PAGE);
    return {
      shares: page.map(({ share, servers }) => showShare(share, servers)),
      next: found.length > PAGE ? page.at(-1)!.share.shareId : null,
    };
  }

  @Get(':id/file-key')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Get the file key of a resource that is shared encrypted',
    description: 'With it the resource is encrypted before anybody reads it, in the format that the share names.',
  })
  @ApiOkResponse({ standardSchema: fileKeyAnswer })
  async fileKey(@Param('id', { schema: shareId }) id: string): Promise<z.input<typeof fileKeyAnswer>> {
    return showFileKey(await this.fileKeys.ofShare(id));
  }

  @Post(':id/file-key/check')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Find out under which key a file was encrypted',
    description:
      'By its first 78 bytes, before what a member wrote is stored: `other` is a key from before, and the file is not to ' +
      'be stored. `next` is the new key of a change that is under way.',
  })
  @ApiOkResponse({ standardSchema: writtenAnswer })
  async check(
    @Param('id', { schema: shareId }) id: string,
    @Body({ schema: writtenFile }) { header }: z.output<typeof writtenFile>,
  ): Promise<z.input<typeof writtenAnswer>> {
    return this.rotations.writtenUnder(id, header);
  }

  @Post(':id/credentials')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Exchange the credentials of a share',
    description:
      'When one may have leaked. Each server that has accepted the share, or `server` alone, gets a new secret under the ' +
      'keys of the group; its old one dies when the new one was delivered.',
  })
  @ApiAcceptedResponse({ standardSchema: credentialsAnswer })
  async rotateCredentials(
    @Param('id', { schema: shareId }) id: string,
    @Body({ schema: newCredentials }) { server }: z.output<typeof newCredentials>,
  ): Promise<z.input<typeof credentialsAnswer>> {
    return { servers: await this.credentials.rotate(id, server) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One share, with its state at each member server' })
  @ApiOkResponse({ standardSchema: shareAnswer })
  async get(@Param('id', { schema: shareId }) id: string): Promise<z.input<typeof shareAnswer>> {
    const { share, servers } = await this.sending.get(id);
    return showShare(share, servers);
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Give the members of the group other rights',
    description: 'The same for all of them. Tokens have them at once; the servers are told in the background.',
  })
  @ApiOkResponse({ standardSchema: shareAnswer })
  async change(
    @Param('id', { schema: shareId }) id: string,
    @Body({ schema: changedShare }) { permissions }: z.output<typeof changedShare>,
  ): Promise<z.input<typeof shareAnswer>> {
    const { share, servers } = await this.sending.changePermissions(id, permissions);
    return showShare(share, servers);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End a share',
    description: 'No token is issued any more from this moment; the servers are told in the background.',
  })
  @ApiNoContentResponse()
  async end(@Param('id', { schema: shareId }) id: string): Promise<void> {
    await this.sending.unshare(id);
  }
}
