import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, FlattenedSign, GeneralSign } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { host, type Host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { Clock } from '../../src/kernel/clock.js';
import { providerPattern } from '../../src/kernel/provider-pattern.js';
import { Config } from '../../src/platform/config.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { RateLimits } from '../../src/platform/rate-limits.repository.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { DirectoriesWorker } from '../../src/trust/directories.worker.js';
import { DirectorySources } from '../../src/trust/directory-sources.provider.js';
import { DirectoryRepository } from '../../src/trust/directory.repository.js';
import { PeerLimits } from '../../src/trust/peer-limits.service.js';
import { ProviderRepository } from '../../src/trust/provider.repository.js';
import { ProvidersFile } from '../../src/trust/providers-file.provider.js';
import { ProvidersService } from '../../src/trust/providers.service.js';
import { RuleRepository } from '../../src/trust/rule.repository.js';
import { TrustVersion } from '../../src/trust/trust-version.repository.js';
import { Trust } from '../../src/trust/trust.service.js';
import { FakePeer } from '../ocm/fake-peer.js';
import { Probe, refused } from '../ocm/probe.js';
import { json } from '../ocm/stub-network.js';

const DIRECTORY = 'https://directory.test/list';
const directory = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const folder = mkdtempSync(join(tmpdir(), 'covey-trust-'));
const [providersFile, directoriesFile] = [join(folder, 'providers.json'), join(folder, 'directories.json')];
const listing = (...hosts: string[]) =>
  writeFileSync(providersFile, JSON.stringify(hosts.map((domain) => ({ domain }))));

let probe: Probe;
let providers: ProvidersService;

beforeAll(async () => {
  listing('filed.test');
  const keys = [directory.publicKey.export({ format: 'jwk' })];
  writeFileSync(directoriesFile, JSON.stringify([{ url: DIRECTORY, keys }]));
  probe = await Probe.start({
    COVEY_TRUST: 'approve-first',
    COVEY_TRUST_DENY: '*.denied.test',
    COVEY_PROVIDERS_FILE: providersFile,
    COVEY_DIRECTORIES: directoriesFile,
  });
  providers = probe.app.get(ProvidersService, { strict: false });
});
afterAll(async () => {
  await probe.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => probe.nextPeer());

const get = <T>(token: new (...args: never[]) => T): T => probe.app.get(token, { strict: false });
const peers = new Map<string, FakePeer>();
/** What a server of that name gets for a notification that it signed. */
async function from(name: string) {
  probe.clock.advanceSeconds(1);
  probe.peer = peers.get(name) ?? new FakePeer(name, probe.network);
  peers.set(name, probe.peer);
  return probe.post();
}
const held = refused('trust.held', 503);
const taken = expect.objectContaining({ status: 201 }) as object;
const standing = async (name: string) => (await providers.of(host(name))).standing;
const audited = () =>
  get(TransactionService).run((tx) =>
    tx.query<{ act: string; subject: string; actor: string | null; facts: object }[]>(
      `SELECT act, subject, actor, facts FROM audit_log WHERE act LIKE 'provider.%' ORDER BY number`,
    ),
  );

test('who is not known waits until an operator decides; what is decided counts at once and stands in the audit log', async () => {
  const name = probe.peer.host;
  peers.set(name, probe.peer);
  expect(await probe.post({ signature: 'ocm=:AAAA:' })).toMatchObject({ status: 401 });
  expect((await providers.of(host(name))).row).toBeUndefined();
  for (let time = 0; time < 2; time++) expect(await from(name)).toEqual(held);
  expect(await providers.of(host(name))).toMatchObject({ standing: { kind: 'held', reason: 'waiting' } });
  await providers.approve(host(name), 'known since long');
  expect(await from(name)).toEqual(taken);
  await providers.quarantine(host(name), 'odd messages');
  const reads = probe.network.asked.length;
  expect(await from(name)).toEqual(held);
  expect(probe.network.asked).toHaveLength(reads);
  await providers.release(host(name), 'explained');
  expect(await from(name)).toEqual(taken);
  await providers.refuse(host(name), 'not any more');
  expect(await from(name)).toEqual(refused('trust.refused', 403));
  await providers.forget(host(name), 'not decided');
  expect(await from(name)).toEqual(held);
  const told = (await audited()).filter(({ subject }) => subject === name);
  expect(told.map(({ act, facts }) => [act, (facts as { why?: string }).why])).toEqual([
    ['provider.asked', undefined],
    ['provider.approved', 'known since long'],
    ['provider.quarantined', 'odd messages'],
    ['provider.released', 'explained'],
    ['provider.refused', 'not any more'],
    ['provider.forgotten', 'not decided'],
  ]);
  await expect(providers.approve(host('b.test'), 'myself')).rejects.toThrow('trust.own');
});

test('a pattern that denies wins, and of who is denied not even the keys are read', async () => {
  await providers.makeRule('allow', providerPattern('*.test'), 'everybody here');
  expect(await from(probe.peer.host)).toEqual(taken);
  const reads = probe.network.asked.length;
  expect(await from('one.denied.test')).toEqual(refused('trust.refused', 403));
  expect(probe.network.asked).toHaveLength(reads);
  await providers.endRule('allow', providerPattern('*.TEST'), 'enough');
  await expect(providers.endRule('allow', providerPattern('*.test'), 'again')).rejects.toThrow('not-found');
  expect(await standing('another.test')).toMatchObject({ kind: 'held' });
});

test('another replica knows of it two seconds later, and asks the database no more often', async () => {
  const replica = new Trust(
    get(Config),
    get(Clock as never),
    get(TransactionService),
    new TrustVersion(),
    new ProviderRepository(),
    new RuleRepository(),
    new DirectoryRepository(),
    get(DirectorySources),
    get(ProvidersFile),
  );
  const name = probe.peer.host as Host;
  expect(await replica.standing(name)).toMatchObject({ kind: 'held' });
  await providers.set(name, { compatible: true, limitPercent: 7 }, 'old and slow');
  await providers.approve(name, 'fine');
  expect(await replica.standing(name)).toMatchObject({ kind: 'held' });
  probe.clock.advance(2_000);
  expect(await replica.standing(name)).toEqual({ kind: 'allowed', reason: 'approved' });
  expect([replica.isCompatible(name), replica.limitOf(name), replica.limitOf(host('x.test'))]).toEqual([true, 7, 100]);
  // Within a transaction it is asked with that transaction.
  probe.clock.advance(2_000);
  expect(await get(TransactionService).run((tx) => replica.standing(name, tx))).toMatchObject({ kind: 'allowed' });
});

test('the file of providers is read when it changes, and a broken one changes nothing but the alarm', async () => {
  const later = async () => {
    probe.clock.advance(2_000);
    return standing('filed.test');
  };
  expect(await later()).toEqual({ kind: 'allowed', reason: 'listed', by: providersFile });
  writeFileSync(providersFile, '[{"domain": ');
  expect(await later()).toMatchObject({ kind: 'allowed' });
  expect(await get(Metrics).text()).toContain(`covey_trust_list_failing{source="${providersFile}"} 1`);
  rmSync(providersFile);
  expect(await later()).toMatchObject({ kind: 'allowed' });
  expect(get(ProvidersFile).failure).toBe('providers.unreadable');
  listing('other.test');
  expect(await later()).toMatchObject({ kind: 'held' });
  expect(await standing('other.test')).toMatchObject({ kind: 'allowed' });
  expect(await get(Metrics).text()).toContain(`covey_trust_list_failing{source="${providersFile}"} 0`);
});

describe('a Directory Service', () => {
  const list = (servers: readonly string[], more: object = {}) =>
    utf8(
      JSON.stringify({
        federation: 'Mesh',
        servers: servers.map((name) => ({ url: `https://${name}`, displayName: name })),
        ...more,
      }),
    );
  const signed = (payload: Uint8Array, key: KeyObject = directory.privateKey) =>
    new CompactSign(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(key);
  const serve = (body: string | object, headers: Record<string, string> = {}) =>
    probe.network.at(DIRECTORY, () =>
      typeof body === 'string' ? { status: 200, headers, body: utf8(body) } : json(body, 200, headers),
    );
  /** Asks it once, when it is due; and what came of it. */
  const ask = async () => {
    probe.clock.advanceSeconds(3_600);
    expect(await get(DirectoriesWorker).turn()).toBe(true);
    expect(await get(DirectoriesWorker).turn()).toBe(false);
    const [row] = (await providers.picture()).directories;
    return {
      failure: row!.failure,
      names: (row!.providers ?? []).map((one) => one.host),
      kind: (await standing('a.test')).kind,
    };
  };
  const kept = (failure: string) => ({ failure, names: ['a.test'], kind: 'allowed' });

  test('says who takes part, in each form of JWS, and what it said last goes on to count', async () => {
    probe.network.at(DIRECTORY, () => json({}, 500));
    expect(await ask()).toEqual({ failure: 'directory.failed', names: [], kind: 'held' });
    const good = list(['a.test']);
    const general = new GeneralSign(good);
    general.addSignature(stranger.privateKey).setProtectedHeader({ alg: 'EdDSA' });
    general.addSignature(directory.privateKey).setProtectedHeader({ alg: 'EdDSA' });
    for (const body of [
      await new FlattenedSign(good).setProtectedHeader({ alg: 'EdDSA' }).sign(directory.privateKey),
      await general.sign(),
    ]) {
      serve(body);
      expect(await ask()).toEqual({ failure: null, names: ['a.test'], kind: 'allowed' });
    }
    serve(await signed(good), { etag: '"1"' });
    expect(await ask()).toMatchObject({ failure: null });
    expect(await from('a.test')).toEqual(taken);

    const jwk = stranger.publicKey.export({ format: 'jwk' });
    const unsigned = (header: object) =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${Buffer.from(good).toString('base64url')}.`;
    for (const [body, failure] of [
      [await signed(list(['x.test']), stranger.privateKey), 'directory.unsigned'],
      [
        await new CompactSign(list(['x.test'])).setProtectedHeader({ alg: 'EdDSA', jwk }).sign(stranger.privateKey),
        'directory.unsigned',
      ],
      [unsigned({ alg: 'none' }), 'directory.unsigned'],
      ['<h1>Sorry</h1>', 'directory.unsigned'],
      [await signed(utf8('[]')), 'directory.malformed'],
      [await signed(utf8('{')), 'directory.malformed'],
      [await signed(list([])), 'directory.empty'],
      [await signed(list(['x.test/path'])), 'directory.empty'],
      [await signed(list(['x.test'], { exp: 1 })), 'directory.outdated'],
    ] as const) {
      serve(body);
      expect(await ask()).toEqual(kept(failure));
    }
    expect(await get(Metrics).text()).toContain(`covey_trust_list_failing{source="${DIRECTORY}"} 1`);
    probe.network.at(DIRECTORY, ({ headers }) => json({}, headers['if-none-match'] === '"1"' ? 304 : 500));
    expect(await ask()).toEqual({ failure: null, names: ['a.test'], kind: 'allowed' });

    const dated = (iat: number, ...names: string[]) => signed(list(names, { iat }));
    serve(await dated(2_000, 'b2.test'));
    expect(await ask()).toEqual({ failure: null, names: ['b2.test'], kind: 'held' });
    for (const old of [await dated(1_000, 'a.test'), await signed(good)]) {
      serve(old);
      expect(await ask()).toEqual({ failure: 'directory.outdated', names: ['b2.test'], kind: 'held' });
    }
  });
});

test('a peer that floods waits while others are served, counted over replicas, at few statements', async () => {
  const name = probe.peer.host as Host;
  const other = host('calm.test');
  for (const peer of [name, other]) await providers.approve(peer, 'fine');
  await providers.set(name, { limitPercent: 1 }, 'floods');
  const endpoint = '/ocm/probe/notifications';
  const [one, two] = [
    get(PeerLimits),
    new PeerLimits(get(Trust), get(RateLimits), get(TransactionService), get(Clock as never), get(Metrics)),
  ];
  let served = 0;
  const ask = async (limits: PeerLimits) =>
    limits.spend(name, endpoint).then(
      () => served++,
      () => undefined,
    );
  await Promise.all(Array.from({ length: 30 }, () => Promise.all([ask(one), ask(two)])));
  // A burst of ten, in one process or two.
  expect(served).toBe(10);
  const reads = probe.network.asked.length;
  const answer = await from(name);
  expect(answer).toEqual(refused('limit.peer', 429));
  expect(probe.network.asked).toHaveLength(reads);
  expect(await from(other)).toEqual(taken);
  expect(() => one.assertOpen(name, '/ocm/other')).not.toThrow();
  probe.clock.advanceSeconds(10);
  await ask(two);
  expect(served).toBe(11);
  // What was taken for fifty requests costs one statement.
  const before = await spentOf(other);
  for (let time = 0; time < 40; time++) await one.spend(other, '/ocm/notifications');
  const first = await spentOf(other);
  await one.spend(other, '/ocm/notifications');
  expect([first !== before, await spentOf(other)]).toEqual([true, first]);
});

const spentOf = async (peer: Host): Promise<unknown> =>
  JSON.stringify(
    await get(TransactionService).run((tx) =>
      tx.query(`SELECT spent_until FROM rate_limit WHERE subject LIKE $1`, [`requests of server ${peer} to /ocm/not%`]),
    ),
  );
