import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryRecords, ProtocolServer, readJsonOver, isFault } from '../../src/integration/protocol-server.js';
import { host } from '../../src/kernel/address.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import type { Opening, Person, Share } from '../support/cast.js';
import { World } from '../support/world.js';
import { outcomesOn, rewritten } from '../third-parties/outcomes-page.js';

const PAGE = 'docs/token-profile.md';
const HEADING = 'What becomes of a token when something changes';
const HUB = host('hub.test');
const API = 'https://hub.test/ocm-ip';
/** How finely it is looked. */
const STEP_S = 20;

const MODES = ['self-contained', 'provisioned', 'introspected'] as const;
type Mode = (typeof MODES)[number];

let world: World;
let [alice, bob, bella]: [Person, Person, Person] = [] as never;
let lab: string;
const servers = {} as Record<Mode, ProtocolServer>;

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  [alice, bob, bella] = await world.users('alice@a.test', 'bob@b.test', 'bella@b.test');
  lab = await alice.createGroup('lab', [bob, bella]);
  await world.settle();
  const pair = (body: object) => world.server('a.test').api('POST', '/pairings', body);
  await pair({ clientId: 'hub.test', method: 'none', integrationApi: API });
  const { body } = await pair({ clientId: 'asker', method: 'client_secret_basic' });
  const basic = `Basic ${Buffer.from(`asker:${(body as { secret: string }).secret}`).toString('base64')}`;
  const network = world.network.networkOf(HUB, () => true);
  for (const mode of MODES) {
    servers[mode] = new ProtocolServer({
      pairings: [{ domain: 'a.test', modes: [mode] }],
      read: readJsonOver(network),
      now: () => world.clock.now(),
      ...(mode === 'provisioned' && {
        integrationApi: API,
        records: new MemoryRecords(() => world.clock.now()),
      }),
      ...(mode === 'introspected' && {
        introspection: {
          endPoint: 'https://a.test/ocm/introspect',
          post: async (post) => {
            const headers = { ...post.headers, authorization: basic };
            const asked = { ...post, headers, method: 'POST' as const, timeoutMs: 1000, maxBytes: 100_000 };
            const answer = await network.fetch(asked);
            return { status: answer.status, body: JSON.parse(fromUtf8(answer.body)) as unknown };
          },
        },
      }),
    });
  }
  world.network.attach(HUB, async ({ method, url, headers, body = new Uint8Array() }) => {
    const answer = await servers.provisioned.integrate({ method, url: new URL(url).pathname, headers, body });
    return { status: answer.status, headers: {}, body: utf8(answer.body) };
  });
});
afterAll(() => world[Symbol.asyncDispose]());

let shares = 0;
async function share(mode: Mode): Promise<{ readonly share: Share; readonly name: string }> {
  const name = `data-${++shares}.tar`;
  const resource = { id: name, type: 'file', name, uri: name, permissions: ['read', 'write'] };
  const body = {
    group: lab,
    sender: alice.address,
    resource,
    ...(mode === 'provisioned' && { protocolServers: ['hub.test'] }),
  };
  const made = await world.server('a.test').api('POST', '/shares', body);
  expect(made.status).toBe(201);
  await world.settle();
  return { share: made.body as Share, name };
}

/** A change, and how it is undone. */
type Change = (share: Share) => Promise<(() => Promise<void>) | void>;
const without = async (...people: Person[]) => {
  for (const person of people) await alice.remove(lab, person);
  await world.settle();
  return async () => {
    for (const person of people) await alice.add(lab, person);
    await world.settle();
  };
};
const CHANGES: Record<string, Change> = {
  'the share ends': async (one) => {
    await alice.unshare(one);
  },
  'the server loses its last member': () => without(bob, bella),
  'the bound member leaves, others of its server stay': () => without(bob),
  'the right to write is taken': async (one) => {
    await alice.changePermissions(one, ['read']);
  },
};

const mayWrite = async (mode: Mode, token: string): Promise<boolean> => {
  try {
    const { share: seen } = await servers[mode].verify(token);
    return seen.protocol.webdav?.permissions.includes('write') === true;
  } catch (error) {
    if (!isFault(error)) throw error;
    return false;
  }
};

/** For how many seconds after a change a token is believed that was issued right before. */
async function believedFor(mode: Mode, change: Change): Promise<number> {
  const { share: one, name } = await share(mode);
  const token = ((await bob.open(name)) as Opening).access_token;
  expect(await mayWrite(mode, token)).toBe(true);
  const undo = await change(one);
  await world.settle();
  const stillGiven = await bob.open(name);
  if (typeof stillGiven === 'object') expect(await mayWrite(mode, stillGiven.access_token)).toBe(false);
  let seconds = 0;
  for (; seconds <= 300 && (await mayWrite(mode, token)); seconds += STEP_S) world.clock.advanceSeconds(STEP_S);
  await undo?.();
  return seconds;
}

test('I-036 how long a token is believed after a change is what the page says', async () => {
  const rows: { token: string; outcomes: string[] }[] = [];
  for (const [token, change] of Object.entries(CHANGES)) {
    const outcomes: string[] = [];
    for (const mode of MODES) outcomes.push(String(await believedFor(mode, change)));
    rows.push({ token, outcomes });
  }
  const seen = { parties: MODES, rows };
  if (process.env['COVEY_WRITE_TOKEN_PROFILE']) {
    writeFileSync(PAGE, rewritten(readFileSync(PAGE, 'utf8'), HEADING, seen));
  }
  expect(outcomesOn(readFileSync(PAGE, 'utf8'), HEADING)).toEqual(seen);
});

test('keys that follow each other by themselves cut no token short, and no verifier notices', async () => {
  const { name } = await share('self-contained');
  const keys = world.server('a.test').get(ServerKeysService);
  const first = keys.token.kid;
  const signed = new Set<string>();
  await world.pass(90 * 86_400_000 - 3_600_000);
  for (let hours = 0; hours < 34; hours++) {
    const token = ((await bob.open(name)) as Opening).access_token;
    signed.add(keys.token.kid);
    await world.pass(3_600_000 / 12 - 1000);
    expect(await mayWrite('self-contained', token)).toBe(true);
    await world.pass(3_600_000 - 3_600_000 / 12 + 1000);
  }
  expect([...signed]).toEqual([first, keys.token.kid]);
  expect(keys.published.keys.filter(({ kid }) => kid.includes('#token-')).map(({ kid }) => kid)).toEqual([
    keys.token.kid,
  ]);
});
