import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { serveApiDocs } from './platform/api-docs.provider.js';
import { dressHttp, httpAdapter } from './platform/http.provider.js';
import { Log } from './platform/logger.service.js';
import type { World } from './platform/platform.module.js';

/** The whole service, ready to listen or to be asked in place. Workers stand still until `app.get(Poller).start()`. */
export async function createApp(world: World): Promise<NestFastifyApplication> {
  const { config, dice, log = new Log(config.logLevel) } = world;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with({ ...world, log }),
    httpAdapter(config, dice),
    {
      rawBody: true,
      logger: log,
      abortOnError: false,
    },
  );
  await dressHttp(app, config);
  serveApiDocs(app, config);
  await app.init();
  return app;
}
