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
import { startOf } from './cursor.js';
import {
  newWebhook,
  newWebhookAnswer,
  resumption,
  secretAnswer,
  showWebhook,
  testAnswer,
  webhookAnswer,
  webhooksAnswer,
} from './feed-bodies.js';
import { showSecret } from './webhook.js';
import { WebhooksService } from './webhooks.service.js';

const webhookId = z.uuid();

/** Where events are posted. https://www.standardwebhooks.com */
@ApiTags('Webhooks')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Have events posted to a URL',
    description:
      'One request for each event, in the order of the feed, signed as Standard Webhooks are. `webhook-id` is the cursor of ' +
      'the event, the same each time that it is sent. The secret stands in this answer and nowhere else. `after` says from ' +
      'where on: a cursor, `oldest`, or `latest` (the default).',
  })
  @ApiCreatedResponse({ standardSchema: newWebhookAnswer })
  async add(
    @Body({ schema: newWebhook }) { url, types, group, after }: z.output<typeof newWebhook>,
  ): Promise<z.input<typeof newWebhookAnswer>> {
    const wanted = { url, after: startOf(after), ...(types && { types }), ...(group && { group }) };
    const { webhook, secret } = await this.webhooks.add(wanted);
    return { ...showWebhook(await this.webhooks.get(webhook.id)), secret: showSecret(secret) };
  }

  @Get()
  @ApiOperation({ summary: 'List the webhooks, and how they are' })
  @ApiOkResponse({ standardSchema: webhooksAnswer })
  async list(): Promise<z.input<typeof webhooksAnswer>> {
    return { webhooks: (await this.webhooks.list()).map(showWebhook) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One webhook' })
  @ApiOkResponse({ standardSchema: webhookAnswer })
  async get(@Param('id', { schema: webhookId }) id: string): Promise<z.input<typeof webhookAnswer>> {
    return showWebhook(await this.webhooks.get(id));
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Send nothing until it is resumed' })
  @ApiOkResponse({ standardSchema: webhookAnswer })
  async pause(@Param('id', { schema: webhookId }) id: string): Promise<z.input<typeof webhookAnswer>> {
    return showWebhook(await this.webhooks.pause(id));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Go on, be it paused, stopped or waiting for its next try',
    description: 'With `after` from that cursor on, `oldest` or `latest`: events that it had are sent once more.',
  })
  @ApiOkResponse({ standardSchema: webhookAnswer })
  async resume(
    @Param('id', { schema: webhookId }) id: string,
    @Body({ schema: resumption }) { after }: z.output<typeof resumption>,
  ): Promise<z.input<typeof webhookAnswer>> {
    return showWebhook(await this.webhooks.resume(id, after === undefined ? undefined : startOf(after)));
  }

  @Post(':id/exchange-secret')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Give it another secret', description: 'The one before signs for a day more, beside it.' })
  @ApiOkResponse({ standardSchema: secretAnswer })
  async exchangeSecret(@Param('id', { schema: webhookId }) id: string): Promise<z.input<typeof secretAnswer>> {
    return { secret: showSecret(await this.webhooks.exchangeSecret(id)) };
  }

  @Post(':id/test')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Send it an event of the type `webhook.test` now',
    description: 'It stands in no feed. `outcome` is `delivered`, the HTTP status, or the code of an error.',
  })
  @ApiOkResponse({ standardSchema: testAnswer })
  async test(@Param('id', { schema: webhookId }) id: string): Promise<z.input<typeof testAnswer>> {
    const sent = await this.webhooks.test(id);
    return { outcome: sent.kind === 'failed' ? sent.why : sent.kind === 'gone' ? '410' : sent.kind };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a webhook' })
  @ApiNoContentResponse()
  async remove(@Param('id', { schema: webhookId }) id: string): Promise<void> {
    await this.webhooks.remove(id);
  }
}
