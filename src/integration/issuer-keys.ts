import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { type Jwk, readJwks } from './jws-key.js';

/** Reads a JSON document over the network: bounded in size and time, without redirects. Throws when there is none. */
export type ReadJson = (url: string) => Promise<unknown>;

export interface IssuerKeysOptions {
  readonly read: ReadJson;
  readonly now: () => Date;
  /** Development on one machine only. */
  readonly plainHttp?: boolean;
}

const discovery = z.object({ enabled: z.literal(true), jwksUri: z.string().max(2000) });

/** How long keys are believed without a look, and how soon an unknown `kid` may cause another one. */
const FRESH_MS = 300_000;
const REFETCH_MS = 15_000;
const MOST_ISSUERS = 500;

interface Entry {
  readonly keys: Promise<readonly Jwk[]>;
  readonly readAt: number;
}

/**
 * The keys of issuers, found from their names alone: discovery document, then `jwksUri`. Bounded, and an unknown `kid`
 * (a key that was changed) causes one more look, at most one in fifteen seconds. OCM-IP, Token Verification step 2
 */
export class IssuerKeys {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: IssuerKeysOptions) {}

  /** `origin` must have been allowed before. Throws `access.issuer-unavailable`. */
  async of(origin: string, kid: string): Promise<readonly Jwk[]> {
    const at = this.options.now().getTime();
    const entry = this.entries.get(origin);
    if (!entry || at - entry.readAt >= FRESH_MS) return this.fetch(origin, at);
    const keys = await entry.keys;
    return keys.some((key) => key.kid === kid) || at - entry.readAt < REFETCH_MS ? keys : this.fetch(origin, at);
  }

  private fetch(origin: string, readAt: number): Promise<readonly Jwk[]> {
    const keys = this.find(origin);
    this.entries.delete(origin);
    this.entries.set(origin, { keys, readAt });
    const [oldest] = this.entries.keys();
    if (this.entries.size > MOST_ISSUERS) this.entries.delete(oldest!);
    // A failure is not kept: the next token asks again.
    keys.catch(() => this.entries.get(origin)?.keys === keys && this.entries.delete(origin));
    return keys;
  }

  private async find(origin: string): Promise<readonly Jwk[]> {
    try {
      const { jwksUri } = discovery.parse(await this.options.read(`${origin}/.well-known/ocm`));
      const { protocol } = new URL(jwksUri);
      if (protocol !== 'https:' && !(protocol === 'http:' && this.options.plainHttp)) throw new Error(protocol);
      return readJwks(await this.options.read(jwksUri));
    } catch (cause) {
      throw new Fault('access.issuer-unavailable', { origin }, cause);
    }
  }
}
