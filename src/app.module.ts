import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveApiDocs } from './platform/api-docs.provider.js';
import type { Rows } from './platform/database.provider.js';
import { dressHttp, httpAdapter } from './platform/http.provider.js';
import { Log } from './platform/logger.service.js';
import { PlatformModule, type World } from './platform/platform.module.js';

/** The entities of all folders, in the order of the line. */
const ROWS: Rows = [];

/** The modules of all folders, in the order of the line. */
const MODULES: NonNullable<ModuleMetadata['imports']> = [];

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
  serveApiDocs(app, config);
  await app.init();
  return app;
}
