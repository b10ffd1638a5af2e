import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { hostField } from '../ocm/wire-body.js';
import { DeliveriesService } from '../outbox/deliveries.service.js';
import { ApiKeyGuard } from '../platform/api-key.guard.js';
import { Config } from '../platform/config.js';
import { ProvidersFile } from '../trust/providers-file.provider.js';
import type { ProviderPicture } from '../trust/provider.js';
import { ProvidersService } from '../trust/providers.service.js';
import {
  decision,
  providerAnswer,
  providersAnswer,
  rule,
  settings,
  showProvider,
  trustAnswer,
} from './trust-answers.js';

const standing = z.enum(['allowed', 'held', 'refused']).optional();
const ACTS = ['approve', 'refuse', 'forget', 'quarantine', 'release'] as const;
const act = z.enum(ACTS);

type Answer = z.input<typeof providerAnswer>;

@ApiTags('Trust')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/trust')
export class TrustController {
  constructor(
    private readonly providers: ProvidersService,
    private readonly deliveries: DeliveriesService,
    private readonly file: ProvidersFile,
    private readonly config: Config,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'The policy, the lists of providers and how reading them went, and the patterns that allow or deny',
    description:
      '`failure`: the last try failed, and what the list said before goes on to count. `skipped`: entries of the list that name no provider. The file is that of the replica that answers.',
  })
  @ApiOkResponse({ standardSchema: trustAnswer })
  async get(): Promise<z.input<typeof trustAnswer>> {
    const { rules, directories } = await this.providers.picture();
    const configured = (['deny', 'allow'] as const).flatMap((effect) =>
      this.config[effect === 'deny' ? 'trustDeny' : 'trustAllow'].map(({ text }) => ({ effect, pattern: text })),
    );
    const { path, last, failure } = this.file;
    return {
      policy: this.config.trustPolicy,
      lists: [
        ...directories.map((row) => ({
          source: row.url,
          ...(row.federation === null ? {} : { federation: row.federation }),
          providers: row.providers?.length ?? 0,
          skipped: row.skipped,
          ...(row.readAt ? { readAt: row.readAt.toISOString() } : {}),
          ...(row.failure === null ? {} : { failure: row.failure }),
        })),
        ...(path === undefined
          ? []
          : [
              {
                source: path,
                providers: last?.providers.length ?? 0,
                skipped: last?.skipped ?? 0,
                ...(last ? { readAt: last.readAt.toISOString() } : {}),
                ...(failure ? { failure } : {}),
              },
            ]),
      ],
      rules: [
        ...configured,
        ...rules.map(({ effect, pattern, why, madeAt }) => ({ effect, pattern, why, madeAt: madeAt.toISOString() })),
      ],
    };
  }

  @Get('providers')
  @ApiOperation({
    summary: 'Providers with their standing and why',
    description:
      'Those that were decided about, that wait, that are on a list, or that were ever written to. `held`: nothing is taken or sent, and what waits is kept.',
  })
  @ApiOkResponse({ standardSchema: providersAnswer })
  async list(
    @Query('standing', { schema: standing }) wanted: z.output<typeof standing>,
  ): Promise<z.input<typeof providersAnswer>> {
    const written = (await this.deliveries.all()).map(({ peer }) => peer.host);
    const all = await this.providers.all(written);
    return { providers: all.filter((one) => wanted === undefined || one.standing.kind === wanted).map(showProvider) };
  }

  @Get('providers/:provider')
  @ApiOperation({ summary: 'How any provider stands, known or not' })
  @ApiOkResponse({ standardSchema: providerAnswer })
  async of(@Param('provider', { schema: hostField }) provider: Host): Promise<Answer> {
    return showProvider(await this.providers.of(provider));
  }

  @Post('providers/:provider/settings')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Set whether old wire forms of a provider are taken, and how much it may ask',
    description: '`limitPercent` is of the usual limits. `null` leaves it to the configuration again.',
  })
  @ApiOkResponse({ standardSchema: providerAnswer })
  async set(
    @Param('provider', { schema: hostField }) provider: Host,
    @Body({ schema: settings }) { why, ...wanted }: z.output<typeof settings>,
  ): Promise<Answer> {
    return showProvider(await this.providers.set(provider, wanted, why));
  }

  @Post('providers/:provider/:act')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Approve, refuse, forget what was decided, quarantine, or release',
    description:
      'Counts at once here and within two seconds on other replicas. `quarantine`: nothing goes in or out, letters wait on both sides; `release` lets all go on in order. `refuse`: what it sends is refused for good; what is to be sent to it waits, should it be approved after all.',
  })
  @ApiOkResponse({ standardSchema: providerAnswer })
  async decide(
    @Param('provider', { schema: hostField }) provider: Host,
    @Param('act', { schema: act }) wanted: z.output<typeof act>,
    @Body({ schema: decision }) { why }: z.output<typeof decision>,
  ): Promise<Answer> {
    const decided: ProviderPicture = await this.providers[wanted](provider, why);
    return showProvider(decided);
  }

  @Post('rules')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Put a host or a pattern on the list of those who may, or may not, federate',
    description:
      '`*.example.org` means everything below, not `example.org` itself. A pattern without a port denies every port and allows that of HTTPS only; `:*` means every port. What denies wins.',
  })
  @ApiNoContentResponse({ description: 'It counts.' })
  makeRule(@Body({ schema: rule }) { effect, pattern, why }: z.output<typeof rule>): Promise<void> {
    return this.providers.makeRule(effect, pattern, why);
  }

  @Post('rules/remove')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take it off that list' })
  @ApiNoContentResponse({ description: 'It counts no more.' })
  endRule(@Body({ schema: rule }) { effect, pattern, why }: z.output<typeof rule>): Promise<void> {
    return this.providers.endRule(effect, pattern, why);
  }
}
