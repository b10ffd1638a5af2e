import type { JWK } from 'jose';
import { z } from 'zod';
import { Fault } from '../kernel/fault.js';

/** A Directory Service, and the keys by which it is known: they come with the configuration, never from the service. */
export interface DirectorySource {
  readonly url: string;
  readonly keys: readonly DirectoryKey[];
}

export interface DirectoryKey {
  readonly jwk: JWK;
  /** The only algorithms by which this key signs. */
  readonly algorithms: readonly string[];
}

/** By `kty` and `crv`. What is not here signs no list: no shared secrets, no `none`. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  RSA: ['RS256', 'PS256'],
};

const key = z
  .looseObject({ kty: z.string(), crv: z.string().optional(), alg: z.string().optional() })
  .refine((jwk) => !('d' in jwk) && !('k' in jwk), 'a public key is enough')
  .transform((jwk, context): DirectoryKey => {
    const usual = ALGORITHMS[jwk.crv === undefined ? jwk.kty : `${jwk.kty} ${jwk.crv}`] ?? [];
    const algorithms = jwk.alg === undefined ? usual : usual.filter((one) => one === jwk.alg);
    if (algorithms.length === 0) context.addIssue({ code: 'custom', message: 'no key that may sign a list' });
    return { jwk: jwk as unknown as JWK, algorithms };
  });

const sources = (plainHttp: boolean) =>
  z
    .array(
      z.strictObject({
        url: z.url({ protocol: plainHttp ? /^https?$/ : /^https$/ }).max(2_048),
        keys: z.array(key).min(1).max(10),
      }),
    )
    .max(20)
    .refine((all) => new Set(all.map(({ url }) => url)).size === all.length, 'a URL stands there twice');

/** The file of `COVEY_DIRECTORIES`. Throws `config.wrong`. */
export function parseDirectorySources(body: unknown, plainHttp: boolean): readonly DirectorySource[] {
  const read = sources(plainHttp).safeParse(body);
  if (read.success) return read.data;
  const reason = z.prettifyError(read.error).slice(0, 500);
  const expected = `a file with [{"url": "https://...", "keys": [public JWKs]}]: ${reason}`;
  throw new Fault('config.wrong', { problems: [{ variable: 'COVEY_DIRECTORIES', expected }] });
}
