import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demo } from './cli/demo/demo.command.js';
import { operator, type OperatorSurroundings } from './cli/operator/operator.command.js';
import { EmbeddedDatabase } from './platform/embedded.provider.js';
import { Log } from './platform/logger.service.js';
import { SystemClock, SystemDice } from './platform/system.provider.js';

const line = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(`${text}\n`);

/** What a child needs of our environment to run at all; its configuration it gets from whoever starts it. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG', 'LC_ALL', 'NODE_OPTIONS'];
const environment = Object.fromEntries(
  INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
);

async function emptyDatabase(folder: string): Promise<string> {
  mkdirSync(folder);
  const database = await EmbeddedDatabase.start(folder, new Log('error'));
  await database.stop();
  return join(folder, 'database');
}

const ask: OperatorSurroundings['send'] = async (url, key, { method, path, body }) => {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const isJson = /json\b/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, body: isJson ? await answer.json() : await answer.text() };
};

type Command = (args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  demo: (args) =>
    demo(args, {
      clock: new SystemClock(),
      dice: new SystemDice(),
      script: fileURLToPath(new URL('main.js', import.meta.url)),
      environment,
      temporary: tmpdir(),
      emptyDatabase,
      out: line(process.stdout),
      err: line(process.stderr),
      onStop: (stop) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
      },
    }),
  operator: (args) =>
    operator(args, {
      clock: new SystemClock(),
      environment: process.env,
      send: ask,
      out: line(process.stdout),
      err: line(process.stderr),
    }),
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (!command) {
  line(process.stderr)(`usage: covey ${Object.keys(COMMANDS).join('|')} [arguments]`);
  process.exitCode = 64;
} else {
  process.exitCode = await command(args);
}
