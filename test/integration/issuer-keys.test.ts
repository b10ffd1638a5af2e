import { expect, test } from 'vitest';
import { IssuerKeys } from '../../src/integration/issuer-keys.js';
import { Issuer, NOW } from './issuer.js';

/** Keys under a clock that the test moves. */
function keysOf(issuer: Issuer) {
  const clock = { at: NOW.getTime() };
  const keys = new IssuerKeys({ read: issuer.read, now: () => new Date(clock.at) });
  return { clock, kids: async (kid: string) => (await keys.of(issuer.origin, kid)).keys.map((key) => key.kid) };
}

test('I-047 an unknown kid causes one more look, and a flood of them no flood of requests', async () => {
  const issuer = await new Issuer().key('old');
  const { clock, kids } = keysOf(issuer);
  expect(await kids('old')).toEqual(['old']);
  await issuer.key('new');
  expect(await kids('new')).toEqual(['old']);
  clock.at += 15_000;
  expect(await kids('new')).toEqual(['old', 'new']);
  for (let n = 0; n < 50; n++) await kids(`made-up-${n}`);
  expect(issuer.asked).toHaveLength(4);
});

test('keys are read again after five minutes, so that a withdrawn key stops to count', async () => {
  const issuer = await new Issuer().key('k');
  const { clock, kids } = keysOf(issuer);
  await kids('k');
  clock.at += 299_999;
  await kids('k');
  expect(issuer.asked).toHaveLength(2);
  clock.at += 1;
  await kids('k');
  expect(issuer.asked).toHaveLength(4);
});

test('a failure is told as such and not remembered', async () => {
  const issuer = await new Issuer().key('k');
  let broken = true;
  const read = (url: string) => (broken ? Promise.reject(new Error('down')) : issuer.read(url));
  const keys = new IssuerKeys({ read, now: () => NOW });
  const unavailable = expect.objectContaining({ code: 'access.issuer-unavailable' });
  await expect(keys.of(issuer.origin, 'k')).rejects.toEqual(unavailable);
  broken = false;
  expect((await keys.of(issuer.origin, 'k')).keys).toHaveLength(1);
});

test('a made-up kid while the issuer cannot be reached costs no keys that are known', async () => {
  const issuer = await new Issuer().key('k');
  const clock = { at: NOW.getTime() };
  let broken = false;
  const read = (url: string) => (broken ? Promise.reject(new Error('down')) : issuer.read(url));
  const keys = new IssuerKeys({ read, now: () => new Date(clock.at) });
  await keys.of(issuer.origin, 'k');
  broken = true;
  clock.at += 15_000;
  await expect(keys.of(issuer.origin, 'made-up')).rejects.toMatchObject({ code: 'access.issuer-unavailable' });
  expect((await keys.of(issuer.origin, 'k')).keys).toHaveLength(1);
});

test('many who show an unknown kid at the same time cause one look', async () => {
  const issuer = await new Issuer().key('old');
  const { clock, kids } = keysOf(issuer);
  await kids('old');
  clock.at += 15_000;
  await Promise.all(['x', 'y', 'z'].map(kids));
  expect(issuer.asked).toHaveLength(4);
});

test.each([
  ['a jwksUri over plain HTTP', { enabled: true, jwksUri: 'http://a.test/jwks' }],
  ['no jwksUri', { enabled: true }],
  ['a server that is switched off', { enabled: false, jwksUri: 'https://a.test/jwks' }],
  ['something else', []],
])('discovery that has %s gives no keys', async (_, document) => {
  const read = (url: string) => Promise.resolve(url.endsWith('/jwks') ? { keys: [] } : document);
  const keys = new IssuerKeys({ read, now: () => NOW });
  await expect(keys.of('https://a.test', 'k')).rejects.toMatchObject({ code: 'access.issuer-unavailable' });
});

test('I-047 the cache is bounded', async () => {
  const issuer = await new Issuer().key('k');
  const read = (url: string) => issuer.read(url.replace(/^https:\/\/[^/]+/, issuer.origin));
  const keys = new IssuerKeys({ read, now: () => NOW });
  for (let n = 0; n <= 500; n++) await keys.of(`https://s${n}.test`, 'k');
  const before = issuer.asked.length;
  await keys.of('https://s500.test', 'k');
  expect(issuer.asked.length).toBe(before);
  await keys.of('https://s0.test', 'k');
  expect(issuer.asked.length).toBe(before + 2);
});
