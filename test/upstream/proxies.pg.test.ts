import type { AddressInfo } from 'node:net';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { Front, type Kind, type Site } from './front.js';
import { PLATFORM_DOCUMENT, StandIn } from './stand-in.js';
import { pairs, valuesOf } from '../../src/upstream/passed-fields.js';

/** `b.test` has the whole host; `c.test` is a platform below `/nextcloud/`. */
const END_POINTS = { 'b.test': 'https://b.test/ocm', 'c.test': 'https://c.test/nextcloud/index.php/ocm' } as const;
type Name = keyof typeof END_POINTS;
const NAMES = Object.keys(END_POINTS) as Name[];

const platforms = {} as Record<Name, StandIn>;
let world: World;
let [alice, bob, carol]: Person[] = [];
let sites: Site[];

beforeAll(async () => {
  for (const name of NAMES) {
    platforms[name] = new StandIn();
    platforms[name].document = { ...PLATFORM_DOCUMENT, endPoint: END_POINTS[name] };
    await platforms[name].start();
  }
  platforms['c.test'].base = '/nextcloud';
  const behind = { COVEY_TRUSTED_PROXIES: '127.0.0.1' };
  world = await World.with({
    'a.test': {},
    'b.test': { ...behind, COVEY_UPSTREAM: platforms['b.test'].origin },
    'c.test': {
      ...behind,
      COVEY_PUBLIC_URL: 'https://c.test/nextcloud/index.php',
      COVEY_UPSTREAM: `${platforms['c.test'].origin}/nextcloud`,
    },
  });
  sites = await Promise.all(
    NAMES.map(async (name) => {
      const { httpAdapter } = world.server(name).get<HttpAdapterHost>(HttpAdapterHost);
      const server: FastifyInstance = httpAdapter.getInstance();
      await server.listen({ host: '127.0.0.1', port: 0 });
      const { port } = server.server.address() as AddressInfo;
      const platform = Number(new URL(platforms[name].origin).port);
      return { host: name, covey: port, platform, isBelow: name === 'c.test' };
    }),
  );
  [alice, bob, carol] = await world.users('alice@a.test', 'bob@b.test', 'carol@c.test');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  for (const name of NAMES) await platforms[name].stop();
});
afterEach(() => {
  for (const name of NAMES) platforms[name].arrived.length = 0;
});

const codeOf = ({ body }: { body: Buffer }) => (JSON.parse(body.toString() || '{}') as { code?: string }).code;

describe.each<Kind>(['nginx', 'Apache', 'Caddy'])('%s', (kind) => {
  let front: Front;
  beforeAll(async () => {
    front = await Front.start(kind, sites);
    for (const name of NAMES) world.network.attach(host(name), (asked) => through(asked));
  });
  afterAll(() => front?.[Symbol.asyncDispose]());

  /** What another server sends goes over TLS to the proxy, and from there to Covey. */
  async function through({ method, url, headers, body }: HttpRequest): Promise<HttpAnswer> {
    const answer = await front.ask(method, url, Object.entries(headers).flat(), body);
    const fields = pairs(answer.fields).map(([name, value]) => [name.toLowerCase(), value]);
    return { status: answer.status, headers: Object.fromEntries(fields) as Record<string, string>, body: answer.body };
  }

  /** A request that a.test signs for one URL, to be sent to the same or another one. */
  function signed(url: string, body: object) {
    world.clock.advanceSeconds(1);
    const bytes = utf8(JSON.stringify(body));
    const own = { 'content-type': 'application/json' };
    const key = world.server('a.test').get(ServerKeysService).http;
    const added = signRequest({ method: 'POST', targetUri: url, fields: own }, bytes, key, world.clock.now());
    return { fields: Object.entries({ ...own, ...added }).flat(), bytes };
  }
  const commit = (url: string) => signed(url, { notificationType: 'MLS_COMMIT', senderDomain: 'a.test' });
  /** The signature was taken, and only then the body looked at. */
  const VERIFIED = [400, 'body.malformed'];

  test('groups, shares and tokens of three servers go through it, signed both ways', async () => {
    const lab = await alice!.createGroup(`lab-${kind.toLowerCase()}`, [bob!, carol!]);
    const resource = (of: string) => `${of}-${kind}.tar`;
    for (const [person, name] of [
      [alice!, 'a'],
      [bob!, 'b'],
      [carol!, 'c'],
    ] as const)
      await person.share(lab, resource(name));
    await world.settle();
    expect(await alice!.open(resource('b'))).toHaveProperty('access_token');
    expect(await bob!.open(resource('c'))).toHaveProperty('access_token');
    expect(await carol!.open(resource('a'))).toHaveProperty('access_token');
    for (const name of NAMES) {
      const sent = world.network.sent({ to: host(name) }).map(({ what, outcome }) => `${what} ${outcome}`);
      expect(sent.filter((exchange) => !/ 20[01]$/.test(exchange))).toEqual([]);
      const { pathname } = new URL(END_POINTS[name]);
      for (const what of ['MLS_WELCOME 201', `${pathname}/mls-key-packages 200`, `${pathname}/shares 201`])
        expect(sent).toContain(what);
      expect(platforms[name].arrived.filter(({ method }) => method === 'POST')).toEqual([]);
    }
  });

  test.each(NAMES)(
    '%s: what was signed is verified as it was signed, and what was spoiled is refused',
    async (name) => {
      const url = `${END_POINTS[name]}/notifications`;
      const outcome = async (sent: string, { fields, bytes }: ReturnType<typeof commit>) => {
        const answer = await front.ask('POST', sent, fields, bytes);
        return [answer.status, codeOf(answer)];
      };
      expect(await outcome(url, commit(url))).toEqual(VERIFIED);
      expect(await outcome(`${url}?a=%20b&c`, commit(`${url}?a=%20b&c`))).toEqual(VERIFIED);
      expect(await outcome(`${url}?a=+b&c`, commit(`${url}?a=%20b&c`))).toEqual([401, 'signature.invalid']);
      const good = commit(url);
      const spoiled = utf8(fromUtf8(good.bytes).replace('COMMIT', 'commit'));
      expect(await outcome(url, { ...good, bytes: spoiled })).toEqual([401, 'signature.digest-mismatch']);
      // What a stranger says of hosts neither helps nor harms.
      const other = NAMES.find((one) => one !== name)!;
      for (const field of ['X-Forwarded-Host', 'Forwarded']) {
        const said = (of: Name) => [field, field === 'Forwarded' ? `host=${of}` : of];
        const claimed = commit(url);
        expect(await outcome(url, { ...claimed, fields: [...claimed.fields, ...said(other)] })).toEqual(VERIFIED);
        const foreign = commit(url.replace(name, other));
        expect(await outcome(url, { ...foreign, fields: [...foreign.fields, ...said(other)] })).toEqual([
          401,
          'signature.invalid',
        ]);
      }
    },
  );

  test.each(NAMES)('%s: shares go to whom they are for, and the platform gets its own to the byte', async (name) => {
    const { pathname } = new URL(END_POINTS[name]);
    const platform = platforms[name];
    for (const shareType of ['user', 'group']) {
      const url = `${END_POINTS[name]}/shares?a=%20b&c`;
      const { fields, bytes } = signed(url, { shareType, name: '\u00e4', sender: 'x@a.test' });
      expect((await front.ask('POST', url, [...fields, 'X-Forwarded-Host', 'evil.test'], bytes)).status).toBe(201);
      const { last } = platform;
      expect([last.method, last.url, fromUtf8(last.body)]).toEqual([
        'POST',
        `${pathname}/shares?a=%20b&c`,
        fromUtf8(bytes),
      ]);
      const arrived = (of: string) => valuesOf(last.fields, of);
      expect([arrived('host'), arrived('x-forwarded-host')]).toEqual([[name], [name]]);
      for (const [field, value] of pairs(fields)) expect(arrived(field)).toEqual([value]);
    }
    platform.arrived.length = 0;
    const url = `${END_POINTS[name]}/shares`;
    const federated = signed(url, { shareType: 'federation', sender: 'x@a.test' });
    const answer = await front.ask('POST', url, federated.fields, federated.bytes);
    expect([answer.status, codeOf(answer), platform.arrived]).toEqual([...VERIFIED, []]);
  });

  test.each(NAMES)("%s: documents are joined, and all but OCM is the platform's", async (name) => {
    const get = (path: string) => front.ask('GET', `https://${name}${path}`, []);
    const read = async (path: string) => JSON.parse((await get(path)).body.toString()) as Record<string, unknown>;
    expect(await read('/.well-known/ocm')).toMatchObject({
      provider: 'Cloud of B',
      endPoint: END_POINTS[name],
      jwksUri: `${END_POINTS[name]}/jwks`,
    });
    const { pathname } = new URL(END_POINTS[name]);
    const keys = await read('/.well-known/jwks.json');
    expect(keys).toEqual(await read(`${pathname}/jwks`));
    expect(await read('/.well-known/oauth-authorization-server')).toHaveProperty('issuer', `https://${name}`);
    const base = platforms[name].base;
    const odd = `${pathname}/invite%2Faccepted%20x%7Ey`;
    const below = ['/apps/%7Efiles?x=%2F', '/api/v1/api-keys', '/scim/v2/Users', '/metrics', '/healthz'];
    for (const path of [odd, ...below.map((own) => base + own)]) {
      platforms[name].arrived.length = 0;
      expect([path, (await get(path)).status, platforms[name].last?.url]).toEqual([path, 201, path]);
    }
  });
});
