import { Injectable } from '@nestjs/common';
import {
  compactVerify,
  type FlattenedJWSInput,
  flattenedVerify,
  generalVerify,
  type GeneralJWSInput,
  importJWK,
} from 'jose';
import { fromUtf8 } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Fault, isFault } from '../kernel/fault.js';
import { Network } from '../kernel/network.js';
import { Config } from '../platform/config.js';
import { parseJson } from '../platform/json.js';
import type { DirectoryKey, DirectorySource } from './directory-source.js';
import { type DirectoryList, parseDirectory } from './listed-provider.js';

const LARGEST = 4 * 1024 * 1024;

/** What was seen of the service before. */
export interface Before {
  readonly etag: string | null;
  readonly issuedAt: Date | null;
  readonly isRead: boolean;
}

export type DirectoryAnswer =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'list'; readonly list: DirectoryList; readonly etag: string | null };

/**
 * Asks a Directory Service for its list. Only the configured keys verify it, each by its own algorithms; what a header
 * says of keys is not read. OCM core, Appendix C
 */
@Injectable()
export class DirectoryClient {
  constructor(
    private readonly network: Network,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Throws `directory.*` or `peer.*`. */
  async fetch(source: DirectorySource, before: Before): Promise<DirectoryAnswer> {
    const conditional = before.isRead && before.etag !== null ? { 'if-none-match': before.etag } : {};
    const answer = await this.network.fetch({
      method: 'GET',
      url: source.url,
      headers: {
        accept: 'application/jose, application/jose+json, application/json',
        'accept-encoding': 'identity',
        ...conditional,
      },
      timeoutMs: this.config.peerTimeoutMs,
      maxBytes: LARGEST,
    });
    if (answer.status === 304 && 'if-none-match' in conditional) return { kind: 'unchanged' };
    if (answer.status !== 200) throw new Fault('directory.failed', { url: source.url, status: answer.status });
    const list = parseDirectory(await this.verified(source, answer.body), this.config.development);
    this.assertFresh(source, list, before);
    // An empty list would cut off everybody at once: it is likelier that something broke than that nobody is left.
    if (list.providers.length === 0) throw new Fault('directory.empty', { url: source.url, skipped: list.skipped });
    return { kind: 'list', list, etag: answer.headers['etag']?.slice(0, 500) ?? null };
  }

  /** The draft has no dates, so an older list can be shown again as long as the service does not add `iat` or `exp`. */
  private assertFresh({ url }: DirectorySource, { iat, exp }: DirectoryList, { issuedAt }: Before): void {
    const expired = exp !== undefined && exp * 1000 <= this.clock.now().getTime();
    // Who has dated a list once does so always.
    const older = issuedAt !== null && (iat === undefined || iat * 1000 < issuedAt.getTime());
    if (expired || older) throw new Fault('directory.outdated', { url, iat, exp });
  }

  private async verified({ url, keys }: DirectorySource, body: Uint8Array): Promise<unknown> {
    for (const key of keys) {
      const payload = await verifiedBy(key, body);
      if (payload) return parsed(url, payload);
    }
    throw new Fault('directory.unsigned', { url });
  }
}

function parsed(url: string, payload: Uint8Array): unknown {
  try {
    return parseJson(payload);
  } catch (cause) {
    throw new Fault('directory.malformed', { url, reason: 'not JSON' }, cause);
  }
}

/** Compact, or JSON with one signature or several. RFC 7515 section 7 */
async function verifiedBy({ jwk, algorithms }: DirectoryKey, body: Uint8Array): Promise<Uint8Array | undefined> {
  const options = { algorithms: [...algorithms] };
  try {
    const text = fromUtf8(body).trim();
    const key = await importJWK(jwk, algorithms[0]);
    if (!text.startsWith('{')) return (await compactVerify(text, key, options)).payload;
    const jws = parseJson(body) as FlattenedJWSInput | GeneralJWSInput;
    if ('signatures' in jws) return (await generalVerify(jws, key, options)).payload;
    return (await flattenedVerify(jws, key, options)).payload;
  } catch (error) {
    // Whatever is wrong with it, this key does not vouch for it.
    if (isFault(error) || error instanceof Error) return undefined;
    throw error;
  }
}
