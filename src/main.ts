import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.module.js';
import { isFault } from './kernel/fault.js';
import { addressPolicy } from './ocm/public-ip.js';
import { UndiciNetwork } from './ocm/undici-network.client.js';
import { ApiKeysService } from './platform/api-keys.service.js';
import { configProblems } from './platform/config-table.js';
import { type Config, configFrom, type ConfigProblem } from './platform/config.js';
import { Log } from './platform/logger.service.js';
import { Poller } from './platform/poller.service.js';
import { SystemClock, SystemDice } from './platform/system.provider.js';
import { stopOnSignals } from './platform/shutdown.provider.js';

/** Exit codes: 0 stopped when asked, 1 broke, 2 configured wrongly, 3 the data folder or the database cannot be used. */
const WRONG_CONFIG = 2;
const NO_DATABASE = 3;

const say = (text: string) => process.stderr.write(`${text}\n`);

try {
  const config = configFrom(process.env);
  const log = new Log(config.logLevel);
  const app = await createApp({
    config,
    clock: new SystemClock(),
    dice: new SystemDice(),
    network: new UndiciNetwork(addressPolicy(config), undefined, config.privateTargets),
    log,
  });
  stopOnSignals(app, log, config.shutdownTimeoutMs);
  await app.listen({ host: config.listen.host, port: config.listen.port });
  app.get(Poller).start();
  log.info({ event: 'started', domain: config.domain, listen: config.listen }, 'Covey serves');
  say(welcome(app, config));
} catch (error) {
  const [says, code] = explain(error);
  say(`Covey does not start: ${says}`);
  process.exit(code);
}

/** What a newcomer needs next. */
function welcome(app: NestFastifyApplication, config: Config): string {
  const { host, port } = config.listen;
  return [
    '',
    `  Covey serves the OCM domain ${config.domain}${config.development ? ' (development, this machine only)' : ''}.`,
    '',
    `    URL          ${config.publicUrl}  (listening on ${host}:${port})`,
    `    Discovery    ${config.publicUrl}/.well-known/ocm`,
    `    API key      ${app.get(ApiKeysService).whereabouts}`,
    `    API docs     ${config.publicUrl}/api/docs`,
    '',
    '  Ctrl-C stops it.',
    '',
  ].join('\n');
}

function explain(error: unknown): [says: string, exitCode: number] {
  if (isFault(error, 'config.wrong')) {
    return [`the configuration is wrong.\n${configProblems(error.facts['problems'] as ConfigProblem[])}`, WRONG_CONFIG];
  }
  if (isFault(error, 'data-folder.taken')) {
    const { folder, pid } = error.facts;
    return [
      `the data folder ${String(folder)} is used by process ${String(pid)}. Stop it, or set COVEY_DATA to another folder.`,
      NO_DATABASE,
    ];
  }
  if (isFault(error, 'data-folder.unusable')) {
    return [`the data folder ${String(error.facts['folder'])} cannot be written: ${String(error.cause)}.`, NO_DATABASE];
  }
  if (isFault(error, 'vault.sealed-otherwise')) {
    return [
      'the database was sealed with another key than the configured one (COVEY_SEALING_KEY, COVEY_SEALING_KEY_FILE).',
      NO_DATABASE,
    ];
  }
  if (isFault(error, 'migration.changed')) {
    const { number, name, problem } = error.facts;
    return [`migration ${String(number)} (${String(name)}): ${String(problem)}.`, NO_DATABASE];
  }
  if (isFault(error, 'database.unavailable')) {
    return [
      `the database cannot be reached: ${error.cause instanceof Error ? error.cause.message : 'no reason given'}`,
      NO_DATABASE,
    ];
  }
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' && syscall === 'listen') return ['the address of COVEY_LISTEN is in use.', 1];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error), 1];
}
