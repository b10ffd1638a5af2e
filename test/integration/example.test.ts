import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fileServer } from '../../examples/protocol-server/main.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { pair, type Pair } from '../ocm/signing.js';
import { Issuer } from './issuer.js';

let folder: string;
let ocm: Server;
let files: Server;
let domain: string;
let root: string;
let issuer: Issuer;
let http: Pair;

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const listening = async (server: Server) => void (await once(server.listen(0, '127.0.0.1'), 'listening'));

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  ocm = createServer((incoming, response) => {
    const found = issuer.read(`http://${domain}${incoming.url}`);
    void found.then((document) => response.end(JSON.stringify(document)));
  });
  await listening(ocm);
  domain = `127.0.0.1:${portOf(ocm)}`;
  issuer = await new Issuer(`http://${domain}`).key(`${domain}#token`);
  http = pair(`${domain}#http`);
  issuer.publish(http.jwk);
  folder = await mkdtemp(join(tmpdir(), 'example-'));
  const home = join(folder, domain.replace(':', '_'));
  await mkdir(home);
  await writeFile(join(home, 'data.csv'), 'north,271.3\n');
  await writeFile(join(folder, 'outside.txt'), 'outside');
  await symlink(join(folder, 'outside.txt'), join(home, 'link'));
  // Where it will be reached is known before it runs, as behind a proxy.
  root = 'http://files.test';
  files = fileServer({ folder, publicUrl: root, paired: [domain], development: true });
  await listening(files);
});

afterAll(async () => {
  vi.restoreAllMocks();
  for (const server of [files, ocm]) server.closeAllConnections();
  await Promise.all([files, ocm].map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(folder, { recursive: true });
});

async function send(method: string, path: string, headers: object = {}, body = utf8('')) {
  const asked = request({ host: '127.0.0.1', port: portOf(files), method, path, headers: { ...headers } });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

async function tell(action: string, said: object, key = http) {
  const body = utf8(JSON.stringify(said));
  const head = { method: 'POST', targetUri: `${root}/ocm-ip${action}`, fields: { 'content-type': 'application/json' } };
  const { status, body: answer } = await send(
    'POST',
    `/ocm-ip${action}`,
    { ...head.fields, ...signRequest(head, body, key.signing, new Date()) },
    body,
  );
  return { status, json: JSON.parse(answer) as unknown };
}

const token = (more: object = {}) => {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: `http://${domain}`, sub: 'alice', aud: 'bob@b.test', client_id: 'k7', iat, exp: iat + 60 };
  return issuer.token(`${domain}#token`, { ...claims, ...more });
};
const get = async (path: string, shown: string) => send('GET', path, { authorization: `Bearer ${shown}` });
const share = (uri: string) => ({
  sender: `alice@${domain}`,
  owner: `alice@${domain}`,
  shareWith: 'bob@b.test',
  providerId: 'k7',
  shareType: 'user',
  resourceType: 'file',
  protocol: { webdav: { uri, permissions: ['read'] } },
});

test('the example is told of a share, serves it to who shows a token, and stops when it is revoked', async () => {
  expect((await get('/webdav/data.csv', await token())).status).toBe(401);
  expect(await tell('/shares', share('data.csv'))).toEqual({
    status: 201,
    json: { status: 'stored', protocol: { webdav: { uri: `${root}/webdav/data.csv` } } },
  });
  expect(await get('/webdav/data.csv', await token())).toMatchObject({ status: 200, body: 'north,271.3\n' });
  expect(await tell('/revoke', { sender: `x@${domain}`, providerId: 'k7' })).toMatchObject({ status: 200 });
  expect((await get('/webdav/data.csv', await token())).status).toBe(401);
});

test('the example serves a self-contained token', async () => {
  const ocm_ip = { providerId: 'k8', resourceType: 'file', protocol: share(`${root}/webdav/data.csv`).protocol };
  expect((await get('/webdav/data.csv', await token({ client_id: 'b.test', ocm_ip }))).body).toBe('north,271.3\n');
});

test('the example refuses what nobody paired said, and what no token opens', async () => {
  expect((await tell('/shares', share('data.csv'), pair(`${domain}#http`))).status).toBe(401);
  expect((await tell('/shares', { ...share('data.csv'), sender: 'eve@evil.test' })).status).toBe(401);
  const none = await send('GET', '/webdav/data.csv');
  expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer realm="webdav"']);
  const ocm_ip = { providerId: 'k8', resourceType: 'folder', protocol: share('link').protocol };
  const linked = await token({ client_id: 'b.test', ocm_ip });
  expect((await get('/webdav/link', linked)).status).toBe(404);
  expect((await get('/webdav/data.csv', linked)).status).toBe(403);
  expect((await send('PUT', '/webdav/data.csv')).status).toBe(405);
  expect((await send('POST', '/ocm-ip/shares', {}, new Uint8Array(70_000))).status).toBe(413);
});
