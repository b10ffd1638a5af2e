import { z } from 'zod';
import { Fault } from '../kernel/fault.js';
import { type JwkSet, parseJwkSet } from '../ocm/jwk-set.js';

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
  readonly keys: Promise<JwkSet>;
  readonly readAt: number;
  /** When an unknown `kid` last caused a look. */
  readonly lookedAt: number;
}

/**
 * The keys of issuers, found from their names alone: discovery document, then `jwksUri`. Bounded, and an unknown `kid`
 * (a key that was changed) causes one more look, at most one in fifteen seconds. OCM-IP, Token Verification, I-047
 */
export class IssuerKeys {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: IssuerKeysOptions) {}

  /** `origin` is that of the `iss` or sender alone, found in the allow-list before. Throws `access.issuer-unavailable`. */
  async of(origin: string, kid: string): Promise<JwkSet> {
    const at = this.options.now().getTime();
    const entry = this.entries.get(origin);
    if (!entry || at - entry.readAt >= FRESH_MS) return this.fetch(origin, at);
    const set = await entry.keys;
    const known = set.keys.some((key) => key.kid === kid);
    if (known || at - entry.lookedAt < REFETCH_MS) return set;
    const current = this.entries.get(origin);
    return current && current !== entry ? current.keys : this.fetch(origin, at, entry);
  }

  private fetch(origin: string, at: number, before?: Entry): Promise<JwkSet> {
    const entry = { keys: this.find(origin), readAt: at, lookedAt: at };
    this.entries.delete(origin);
    this.entries.set(origin, entry);
    const [oldest] = this.entries.keys();
    if (this.entries.size > MOST_ISSUERS) this.entries.delete(oldest!);
    entry.keys.catch(() => {
      if (this.entries.get(origin) !== entry) return;
      // A failure is not kept: the next token asks again. Nor does a made-up `kid` cost keys that are known and fresh.
      this.entries.delete(origin);
      if (before) this.entries.set(origin, { ...before, lookedAt: at });
    });
    return entry.keys;
  }

  private async find(origin: string): Promise<JwkSet> {
    try {
      const { jwksUri } = discovery.parse(await this.options.read(`${origin}/.well-known/ocm`));
      const { protocol } = new URL(jwksUri);
      if (protocol !== 'https:' && !(protocol === 'http:' && this.options.plainHttp)) throw new Error(protocol);
      return parseJwkSet(await this.options.read(jwksUri));
    } catch (cause) {
      throw new Fault('access.issuer-unavailable', { origin }, cause);
    }
  }
}
