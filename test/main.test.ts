import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { freePort } from './support/free-port.js';

const SLOW = 180_000;
const running = new Set<ChildProcess>();
const folder = mkdtempSync(join(tmpdir(), 'covey-'));
/** Whoever comes first makes the database; the others go on with it. */
const shared = join(folder, 'data');

afterEach(async () => {
  const ended = [...running].map((child) => once(child, 'exit'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `npm start` runs, with nothing configured but what is given. */
function start(env: Record<string, string>) {
  const { PATH = '', HOME = '', npm_execpath: npm } = process.env;
  const child = spawn(process.execPath, ['src/setup.mjs', 'start'], {
    env: { PATH, HOME, ...(npm && { npm_execpath: npm }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  let heard = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      heard();
    });
  }
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    heard();
    return (code ?? signal) as number | string;
  });
  const says = async (words: string) => {
    while (!said.includes(words)) {
      if (!running.has(child)) throw new Error(`It ended without saying "${words}":\n${said}`);
      await new Promise<void>((resolve) => (heard = resolve));
    }
  };
  return { child, ended, says, said: () => said };
}

async function served(data = shared) {
  const port = await freePort();
  const covey = start({ COVEY_LISTEN: `127.0.0.1:${port}`, COVEY_DATA: data });
  await covey.says('Ctrl-C stops it.');
  return { ...covey, port, data, url: `http://127.0.0.1:${port}` };
}

const keyOf = (data: string) => readFileSync(join(data, 'api-key'), 'utf8').trim();
const asks = (url: string, key: string) =>
  fetch(`${url}/api/v1/api-keys`, { headers: { authorization: `Bearer ${key}` } });

test(
  'from nothing it starts, serves, says what a newcomer needs, and stops cleanly at Ctrl-C',
  { timeout: SLOW },
  async () => {
    const covey = await served();
    const said = covey.said();
    expect(said).toContain(`COVEY_DOMAIN is not set: development on this machine only, as localhost:${covey.port}`);
    expect(said).toContain(`serves the OCM domain localhost:${covey.port}`);
    expect(said).toContain(`http://localhost:${covey.port}`);
    expect(said).toContain(join(covey.data, 'api-key'));
    expect(said).toContain('/api/docs');
    expect((await fetch(`${covey.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${covey.url}/.well-known/ocm`)).status).toBe(200);
    expect((await asks(covey.url, keyOf(covey.data))).status).toBe(200);
    expect(said).not.toContain(keyOf(covey.data));

    // A terminal sends it to npm and to us, and npm passes it on.
    covey.child.kill('SIGINT');
    covey.child.kill('SIGINT');
    expect(await covey.ended).toBe(0);
    expect(existsSync(join(covey.data, 'lock'))).toBe(false);
  },
);

test(
  'killed and started again it has the same keys, and while it runs a second one is refused',
  { timeout: SLOW },
  async () => {
    const first = await served();
    const key = keyOf(first.data);
    const second = start({ COVEY_LISTEN: `127.0.0.1:${await freePort()}`, COVEY_DATA: first.data });
    expect(await second.ended).toBe(3);
    expect(second.said()).toContain(`the data folder ${first.data} is used by process ${first.child.pid}.`);
    expect((await asks(first.url, key)).status).toBe(200);

    first.child.kill('SIGKILL');
    await first.ended;
    const again = await served(first.data);
    expect((await asks(again.url, key)).status).toBe(200);
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  },
);

test('a stop lets an open request end', { timeout: SLOW }, async () => {
  const covey = await served();
  const socket = connect(covey.port, '127.0.0.1').setEncoding('utf8');
  let answer = '';
  socket.on('data', (text: string) => (answer += text));
  const head = ['POST /api/v1/api-keys HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${keyOf(covey.data)}`];
  const body = '{"name":"late"}';
  socket.write(
    `${[...head, 'Content-Type: application/json', `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n{`,
  );
  await fetch(`${covey.url}/healthz`);
  covey.child.kill('SIGTERM');
  await covey.says('finishing what is open');
  socket.write(body.slice(1));
  expect(await covey.ended, covey.said()).toBe(0);
  expect(answer).toMatch(/^HTTP\/1.1 201 /);
});

test('a wrong configuration stops the start and lists everything that is wrong', { timeout: SLOW }, async () => {
  const covey = start({ COVEY_DOMAIN: 'cloud.example.org', COVEY_DEVELOPMENT: 'on', COVEY_LISTEN: 'here' });
  expect(await covey.ended).toBe(2);
  expect(covey.said()).toContain('COVEY_LISTEN: expected address:port to listen on, got "here"');
  expect(covey.said()).toContain('COVEY_DEVELOPMENT: expected off, since cloud.example.org is not a loopback name');
});

test('an address that is in use is named as the reason', { timeout: SLOW }, async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  const covey = start({ COVEY_LISTEN: `127.0.0.1:${port}`, COVEY_DATA: shared });
  expect(await covey.ended).toBe(1);
  expect(covey.said()).toContain('the address of COVEY_LISTEN is in use');
  squatter.close();
});
