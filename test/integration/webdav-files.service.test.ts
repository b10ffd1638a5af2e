import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProtocolServer } from '../../src/integration/protocol-server.js';
import { WebdavFiles } from '../../src/integration/webdav-files.service.js';
import { CLAIMS, Issuer, NOW } from './issuer.js';

const told: { method: string; code: string }[] = [];
let folder: string;
let issuer: Issuer;
let files: WebdavFiles;
let root: URL;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webdav-'));
  await mkdir(join(folder, 'tree/lab/run 1'), { recursive: true });
  await writeFile(join(folder, 'tree/data.tar'), 'measured\n');
  await writeFile(join(folder, 'tree/empty'), '');
  await writeFile(join(folder, 'tree/lab/a&b<c>.txt'), 'x');
  await writeFile(join(folder, 'outside.txt'), 'secret');
  await symlink(join(folder, 'outside.txt'), join(folder, 'tree/lab/link'));
  issuer = await new Issuer().key('a.test#token');
  const pairings = [{ domain: 'a.test', modes: ['self-contained'] as const }];
  const gate = new ProtocolServer({ pairings, read: issuer.read, now: () => NOW });
  files = new WebdavFiles({ folder: join(folder, 'tree'), gate, tell: (event) => told.push(event) });
  root = await files.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await files.close();
  await rm(folder, { recursive: true });
});

const shareOf = (resourceType: string, uri: string, permissions = ['read']) => ({
  ...CLAIMS,
  ocm_ip: { ...CLAIMS.ocm_ip, resourceType, protocol: { webdav: { uri, permissions } } },
});
const FILE = shareOf('file', 'data.tar');
const FOLDER = shareOf('folder', 'lab');

async function ask(
  method: string,
  path: string,
  claims: object | string,
  init: { headers?: Record<string, string>; body?: string } = {},
) {
  const token = typeof claims === 'string' ? claims : await issuer.token('a.test#token', claims);
  const headers = { authorization: `Bearer ${token}`, ...init.headers };
  return fetch(new URL(path, root), { ...init, method, headers });
}

test('who shows a token for the file reads the file', async () => {
  const answer = await ask('GET', 'data.tar', FILE);
  expect([answer.status, await answer.text()]).toEqual([200, 'measured\n']);
  expect(answer.headers.get('content-length')).toBe('9');
  const head = await ask('HEAD', 'data.tar', FILE);
  expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, answer.headers.get('etag'), '']);
  expect(told.at(-1)).toMatchObject({ method: 'HEAD', code: 'ok', access: { bearer: { group: 'lab@a.test' } } });
});

test('an empty file is served', async () => {
  const answer = await ask('GET', 'empty', shareOf('file', 'empty'));
  expect([answer.status, await answer.text()]).toEqual([200, '']);
});

test('a folder is listed with what is in it, and no link leads out of it', async () => {
  const answer = await ask('PROPFIND', 'lab', FOLDER, { headers: { depth: '1' } });
  const text = await answer.text();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([207, 'application/xml; charset=utf-8']);
  expect(text.match(/<D:href>[^<]*/g)).toEqual([
    '<D:href>/webdav/lab/',
    '<D:href>/webdav/lab/a%26b%3Cc%3E.txt',
    '<D:href>/webdav/lab/run%201/',
  ]);
  expect(text).toContain('<D:displayname>a&amp;b&lt;c&gt;.txt</D:displayname>');
  expect((await ask('GET', 'lab/link', FOLDER)).status).toBe(404);
});

test('Depth 0 tells of the resource alone, infinity is refused as RFC 4918 says', async () => {
  const one = await ask('PROPFIND', 'lab', FOLDER, { headers: { depth: '0' } });
  expect((await one.text()).match(/<D:response>/g)).toHaveLength(1);
  const all = await ask('PROPFIND', 'lab', FOLDER);
  expect(all.status).toBe(403);
  expect(await all.text()).toContain('<D:propfind-finite-depth/>');
});

test('a body may ask for certain properties', async () => {
  const body = '<propfind xmlns="DAV:"><prop><getcontentlength/></prop></propfind>';
  const answer = await ask('PROPFIND', 'data.tar', FILE, { headers: { depth: '0' }, body });
  expect(await answer.text()).toContain('<D:prop><D:getcontentlength>9</D:getcontentlength></D:prop>');
  const broken = await ask('PROPFIND', 'data.tar', FILE, { headers: { depth: '0' }, body: '<!DOCTYPE x>' });
  expect(broken.status).toBe(400);
  const huge = await ask('PROPFIND', 'data.tar', FILE, { headers: { depth: '0' }, body: ' '.repeat(20_000) });
  expect(huge.status).toBe(413);
});

test('without a token there is a bare challenge, with a wrong one it names the error', async () => {
  const none = await fetch(new URL('data.tar', root));
  expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="webdav"']);
  const query = await fetch(new URL(`data.tar?access_token=${await issuer.token('a.test#token')}`, root));
  expect(query.status).toBe(401);
  const wrong = await ask('GET', 'data.tar', 'shared-secret');
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
  const expired = await ask('GET', 'data.tar', { ...FILE, exp: 1 });
  expect([expired.status, told.at(-1)!.code]).toEqual([401, 'access.expired']);
});

test.each([
  ['another file', 'empty', FILE],
  ['a folder above', '', FOLDER],
  ['a neighbour whose name begins alike', 'laboratory', FOLDER],
  ['what is not for reading', 'data.tar', shareOf('file', 'data.tar', ['write'])],
  ['a share of another place', 'data.tar', shareOf('file', 'https://elsewhere.test/webdav/data.tar')],
])('a token does not open %s', async (_, path, claims) => {
  const answer = await ask('GET', path, claims);
  expect(answer.status).toBe(403);
  expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
});

test('no way of writing a path leads out of the tree', async () => {
  const token = await issuer.token('a.test#token', shareOf('folder', '../'));
  for (const path of [
    '/webdav/../outside.txt',
    '/webdav/%2e%2e/outside.txt',
    '/webdav/..%2foutside.txt',
    '//x/webdav/',
  ]) {
    const status = await new Promise((resolve) => {
      const { hostname, port } = root;
      const headers = { authorization: `Bearer ${token}` };
      request({ hostname, port, path, headers }, (answer) => resolve(answer.resume().statusCode)).end();
    });
    expect([path, status]).toEqual([path, 403]);
  }
});

test('what does not exist is not found, what writes is not allowed', async () => {
  expect((await ask('GET', 'gone', shareOf('file', 'gone'))).status).toBe(404);
  const put = await ask('PUT', 'data.tar', FILE, { body: 'x' });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'OPTIONS, GET, HEAD, PROPFIND']);
  const options = await fetch(root, { method: 'OPTIONS' });
  expect([options.status, options.headers.get('dav')]).toEqual([204, '1']);
  expect((await ask('GET', 'lab', FOLDER)).status).toBe(405);
});
