import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProtocolServer } from '../../src/integration/protocol-server.js';
import { WebdavFiles } from '../../src/integration/webdav-files.service.js';
import { host, ocmAddress } from '../../src/kernel/address.js';
import type { Opening, Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { readable } from '../shares/signed-post.js';

let world: World;
let people: readonly Person[];
let lab: string;
let folder: string;
let files: WebdavFiles;
let uri: string;
const codes: string[] = [];

beforeAll(async () => {
  world = await World.of('a.test', 'b.test', 'c.test');
  people = await world.users('alice@a.test', 'bob@b.test', 'carol@c.test');
  const [alice, bob, carol] = people;
  lab = await alice!.createGroup('lab', [bob!, carol!]);
  folder = await mkdtemp(join(tmpdir(), 'third-party-'));
  await writeFile(join(folder, 'data.csv'), 'north,271.3\n');
  // It knows the name of one OCM server and of one group, and shares nothing with either.
  const network = world.network.networkOf(host('files.test'), () => true);
  const read = async (url: string) =>
    readable(await network.fetch({ method: 'GET', url, headers: {}, timeoutMs: 1000, maxBytes: 100_000 })).body;
  const pairings = [{ domain: 'a.test', modes: ['self-contained'] as const }];
  const gate = new ProtocolServer({ pairings, read, now: () => world.clock.now() });
  const policy = { groups: [ocmAddress(lab)] };
  files = new WebdavFiles({ folder, gate, policy, tell: ({ code }) => codes.push(code) });
  uri = new URL('data.csv', await files.listen({ host: '127.0.0.1', port: 0 })).href;
  await alice!.share(lab, 'data.csv', { uri });
  await world.settle();
});
afterAll(async () => {
  await files.close();
  await rm(folder, { recursive: true });
  await world[Symbol.asyncDispose]();
});

const tokenOf = async (person: Person) => (await person.open('data.csv')) as Opening;
const read = async (token: string, method = 'GET') => {
  const answer = await fetch(uri, { method, headers: { authorization: `Bearer ${token}`, depth: '0' } });
  return [answer.status, await answer.text()] as const;
};

test('members of three servers read the file at a third party, which knows them by their tokens alone', async () => {
  for (const person of people) {
    const { access_token: token, uri: where } = await tokenOf(person);
    expect(where).toBe(uri);
    expect(await read(token)).toEqual([200, 'north,271.3\n']);
    expect((await read(token, 'PROPFIND'))[0]).toBe(207);
  }
});

test('a token dies of age', async () => {
  const { access_token: token } = await tokenOf(people[1]!);
  world.clock.advanceSeconds(299);
  expect((await read(token))[0]).toBe(200);
  world.clock.advanceSeconds(1);
  expect([(await read(token))[0], codes.at(-1)]).toEqual([401, 'access.expired']);
});

test('a member who is removed gets no token any more, whoever is asked', async () => {
  const [alice, bob, carol] = people;
  const [share] = await carol!.receives();
  await alice!.remove(lab, carol!);
  await world.settle();
  expect(await carol!.openById(share!.id)).toBe('share.unknown');
  expect(await read((await tokenOf(bob!)).access_token)).toEqual([200, 'north,271.3\n']);
});

test('a token for another group of the same server is refused', async () => {
  const [alice, bob] = people;
  const other = await alice!.createGroup('other', [bob!]);
  await alice!.share(other, 'again.csv', { uri });
  await world.settle();
  const { access_token: token } = (await bob!.open('again.csv')) as Opening;
  expect([(await read(token))[0], codes.at(-1)]).toEqual([403, 'access.scope']);
});
