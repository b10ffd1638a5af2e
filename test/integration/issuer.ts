import * as jose from 'jose';
import type { ReadJson } from '../../src/integration/issuer-keys.js';

export const NOW = new Date('2026-09-01T12:00:00Z');
export const now = NOW.getTime() / 1000;

export const CLAIMS = {
  iss: 'https://a.test',
  sub: 'alice',
  aud: 'lab@a.test',
  client_id: '7c084226-d9a1-41e6-bf26-cec0c932ce01',
  iat: now,
  exp: now + 300,
  jti: '3c1d',
  groups: ['lab@a.test'],
  ocm_group: { address: 'lab@a.test', epoch: 7, recipient: 'b.test', members: ['bob@b.test', 'ben@b.test'] },
  ocm_ip: {
    providerId: '7c084226-d9a1-41e6-bf26-cec0c932ce01',
    resourceType: 'file',
    protocol: { webdav: { uri: 'data.tar', permissions: ['read'] } },
  },
};

/** An OCM server as far as a verifier sees it, made with jose: an implementation that is not ours. */
export class Issuer {
  readonly asked: string[] = [];
  private readonly keys: jose.JWK[] = [];
  private readonly privateKeys = new Map<string, { alg: string; key: CryptoKey }>();

  constructor(readonly origin = 'https://a.test') {}

  async key(kid: string, alg = 'ES256'): Promise<this> {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    this.keys.push({ ...(await jose.exportJWK(publicKey)), kid, alg });
    this.privateKeys.set(kid, { alg, key: privateKey });
    return this;
  }

  publish(key: jose.JWK): void {
    this.keys.push(key);
  }

  token(kid: string, claims: object = CLAIMS, header: object = {}): Promise<string> {
    const { alg, key } = this.privateKeys.get(kid)!;
    return new jose.SignJWT({ ...claims }).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(key);
  }

  publicKey(kid: string): jose.JWK {
    return this.keys.find((key) => key.kid === kid)!;
  }

  read: ReadJson = async (url) => {
    this.asked.push(url);
    await Promise.resolve();
    if (url === `${this.origin}/.well-known/ocm`) return { enabled: true, jwksUri: `${this.origin}/ocm/jwks` };
    if (url === `${this.origin}/ocm/jwks`) return { keys: this.keys };
    throw new Error(`404 ${url}`);
  };
}
