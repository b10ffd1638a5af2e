import { Body, Controller, Get, Header, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { OcmAddress } from '../kernel/address.js';
import { addressField } from '../ocm/wire-body.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { FileKeysService } from './file-keys.service.js';
import { OpeningService } from './opening.service.js';
import { fileKeyAnswer, opening, openingAnswer, receivedSharesAnswer } from './share-bodies.js';
import { showFileKey, showReceivedShare } from './share-pictures.js';

const userQuery = addressField.meta({ example: 'bob@othercloud.example.org' });

/** What users of this server were given by groups. */
@ApiTags('Received shares')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/received-shares')
export class EfssReceivedSharesController {
  constructor(
    private readonly openings: OpeningService,
    private readonly fileKeys: FileKeysService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List what a user can open',
    description: 'As the groups of the user are at this moment, shares of this server itself included.',
  })
  @ApiOkResponse({ standardSchema: receivedSharesAnswer })
  async list(@Query('user', { schema: userQuery }) user: OcmAddress): Promise<z.input<typeof receivedSharesAnswer>> {
    return { shares: (await this.openings.visibleTo(user)).map(showReceivedShare) };
  }

  @Get(':id/file-key')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Get the file key of an encrypted share',
    description:
      'For who may open it now, with `user` for that user. 503 with `share.no-key-yet` while the key is on its way, and ' +
      'with `share.key-superseded` when what is held cannot be opened any more and the next has not come.',
  })
  @ApiOkResponse({ standardSchema: fileKeyAnswer })
  async fileKey(
    @Param('id', { schema: z.uuid() }) id: string,
    @Query('user', { schema: userQuery.optional() }) user?: OcmAddress,
  ): Promise<z.input<typeof fileKeyAnswer>> {
    return showFileKey(await this.fileKeys.ofReceived(id, user));
  }

  @Post(':id/token')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Get a credential for a received share',
    description:
      'Exchanges the secret of the share at the sending server. With `member` the token is bound to that user, who must ' +
      'be a member of the group now. Show it as a Bearer token at `uri`; `expires_in` is null for a share that is not ' +
      'exchanged.',
  })
  @ApiOkResponse({ standardSchema: openingAnswer })
  async open(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: opening }) { member }: z.output<typeof opening>,
  ): Promise<z.input<typeof openingAnswer>> {
    const { accessToken, expiresIn, uri } = await this.openings.open(id, member);
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn ?? null, uri };
  }
}
