import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConsoleModule } from './console/console.module.js';
import { FEED_ROWS, FeedModule } from './feed/feed.module.js';
import { GROUPS_ROWS, GroupsModule } from './groups/groups.module.js';
import { INBOX_ROWS, InboxModule } from './inbox/inbox.module.js';
import { MembershipModule } from './membership/membership.module.js';
import { MLS_ROWS, MlsModule } from './mls/mls.module.js';
import { OCM_ROWS, OcmModule } from './ocm/ocm.module.js';
import { OUTBOX_ROWS, OutboxModule } from './outbox/outbox.module.js';
import { serveApiDocs } from './platform/api-docs.provider.js';
import type { Rows } from './platform/database.provider.js';
import { dressHttp, httpAdapter } from './platform/http.provider.js';
import { Log } from './platform/logger.service.js';
import { PlatformModule, type World } from './platform/platform.module.js';
import { SCIM_ROWS, ScimModule } from './scim/scim.module.js';
import { SHARES_ROWS, SharesModule } from './shares/shares.module.js';
import { TOKENS_ROWS, TokensModule } from './tokens/tokens.module.js';
import { TRUST_ROWS, TrustModule } from './trust/trust.module.js';
import { GatewayService } from './upstream/gateway.service.js';
import { UpstreamModule } from './upstream/upstream.module.js';

/** The entities of all folders, in the order of the line. */
const ROWS: Rows = [
  ...TRUST_ROWS,
  ...OCM_ROWS,
  ...MLS_ROWS,
  ...OUTBOX_ROWS,
  ...FEED_ROWS,
  ...GROUPS_ROWS,
  ...TOKENS_ROWS,
  ...SHARES_ROWS,
  ...SCIM_ROWS,
  ...INBOX_ROWS,
];

/** The modules of all folders, in the order of the line. */
const MODULES: NonNullable<ModuleMetadata['imports']> = [
  TrustModule,
  OcmModule,
  MlsModule,
  OutboxModule,
  FeedModule,
  GroupsModule,
  TokensModule,
  SharesModule,
  MembershipModule,
  ScimModule,
  UpstreamModule,
  InboxModule,
  ConsoleModule,
];

@Module({})
export class AppModule {
  static with(world: World): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.with(world, ROWS), ...MODULES] };
  }
}

/** The whole service, ready to listen or to be asked in place. Workers stand still until `app.get(Poller).start()`. */
export async function createApp(world: World): Promise<NestFastifyApplication> {
  const { config, dice, log = new Log(config.logLevel) } = world;
  const module = AppModule.with({ ...world, log });
  const app = await NestFactory.create<NestFastifyApplication>(module, httpAdapter(config, dice), {
    rawBody: true,
    logger: log,
    abortOnError: false,
  });
  await dressHttp(app, config);
  app.get(GatewayService).stand(app.getHttpAdapter().getInstance());
  serveApiDocs(app, config);
  await app.init();
  return app;
}
