import { createPublicKey, type KeyObject } from 'node:crypto';
import * as jose from 'jose';
import { host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { ServerKeysService, TokenKeys } from '../../src/ocm/server-keys.service.js';
import { Issuer } from '../integration/issuer.js';
import type { World } from '../support/world.js';
import type { Lab } from './labs.js';

export const GOOD = 'good';

/** What nobody may let in, whoever it is: not signed by the server of the group, or not what was signed. */
export const FORGED = [
  '`alg` none',
  'HMAC with the public key',
  'another key of the server named',
  'own key, `jku`',
  'own key, `x5u`',
  'own issuer, own key',
  'payload changed',
] as const;

/** The rest is signed by the server's own key; all but the last one as it never would. */
export const SHOWN = [
  GOOD,
  ...FORGED,
  'another `typ`',
  'expired',
  'not yet valid',
  'over 16 KiB',
  'of another group',
] as const;
export type Shown = (typeof SHOWN)[number];

const EVIL = 'evil.test';
const OVERSIZED = 16 * 1024;

/** Somebody with a key and a web server, on the network of the world: what he publishes is there for who asks. */
export async function attacker(world: World): Promise<Issuer> {
  const evil = new Issuer(`https://${EVIL}`);
  for (const alg of ['ES256', 'RS256', 'Ed25519']) await evil.key(`${EVIL}#${alg}`, alg);
  world.network.attach(host(EVIL), async ({ url }) => {
    const body = await evil.read(url);
    return { status: 200, headers: { 'content-type': 'application/json' }, body: utf8(JSON.stringify(body)) };
  });
  return evil;
}

/** `published` is where a third party could get the attacker's keys. */
export async function shownTokens(
  world: World,
  lab: Lab,
  evil: Issuer,
  published: string,
): Promise<Readonly<Record<Shown, string>>> {
  const server = world.server(lab.domain);
  const { kid, alg, privateKey } = server.get(TokenKeys).current();
  const claims = jose.decodeJwt(lab.token);
  const now = Math.floor(Date.now() / 1000);
  const signed = (changes: object, header: object = {}, key: KeyObject | Uint8Array = privateKey) =>
    new jose.SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(key);
  const own = `${EVIL}#${lab.algorithm}`;
  const [head, , signature] = lab.token.split('.') as [string, string, string];
  return {
    good: lab.token,
    '`alg` none': `${json({ alg: 'none', kid, typ: 'at+jwt' })}.${json(claims)}.`,
    'HMAC with the public key': await signed({}, { alg: 'HS256' }, publicPem(privateKey)),
    'another key of the server named': await signed({}, { kid: server.get(ServerKeysService).http.kid }),
    'own key, `jku`': await evil.token(own, claims, { jku: published }),
    'own key, `x5u`': await evil.token(own, claims, { x5u: published }),
    'own issuer, own key': await evil.token(own, { ...claims, iss: evil.origin }),
    'payload changed': `${head}.${json({ ...claims, sub: 'mallory' })}.${signature}`,
    'another `typ`': await signed({}, { typ: 'JWT' }),
    expired: await signed({ iat: now - 600, exp: now - 300 }),
    'not yet valid': await signed({ nbf: now + 3600 }),
    'over 16 KiB': await signed({ padding: 'x'.repeat(OVERSIZED) }),
    'of another group': lab.otherToken,
  };
}

const json = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function publicPem(privateKey: KeyObject): Uint8Array {
  return utf8(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string);
}
