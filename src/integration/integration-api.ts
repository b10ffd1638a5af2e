import { z } from 'zod';
import { Fault, isFault } from '../kernel/fault.js';
import type { Fields } from '../ocm/message-signature.js';
import { withoutSecrets } from '../ocm/share-protocol.js';
import { identifierField, parseBody } from '../ocm/wire-body.js';
import { parseJson } from '../platform/json.js';
import { Revocations } from './revocations.js';
import { type IntendedShare, readIntendedShare, settled, type ShareRecord } from './share-record.js';
import type { ShareRecords } from './share-records.js';
import { type Proof, provedSender, type Trust } from './signed-sender.js';

/** A request as it arrived; field names in lower case, as Node and `Headers` give them. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly url: string;
  readonly headers: Fields;
  readonly body: Uint8Array;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Hooks {
  /**
   * Makes room for a share before it is stored, once more when it is provisioned once more. The `protocol` that it gives
   * goes into the record and to the OCM server. Throws `provision.not-now` when it cannot for now.
   */
  readonly allocate?: (share: IntendedShare) => Promise<object | undefined>;
  /** The share has ended: ends sessions and gives back what was allocated. What it throws is told, and holds up nothing. */
  readonly release?: (share: ShareRecord) => Promise<void>;
  /** Told of everything that was judged; `code` is `ok` or a fault code. */
  readonly tell?: (event: { readonly action: string; readonly code: string; readonly error?: unknown }) => void;
}

export interface IntegrationApiOptions extends Trust, Hooks {
  readonly records: ShareRecords;
  /** `{integrationAPI}`, as paired OCM servers know it. */
  readonly integrationApi: string;
  /** The path under which requests for it arrive, where a proxy changes it. */
  readonly mountedAt?: string;
}

/** A share notice has no more. */
export const LONGEST_BODY = 65_536;

const revocation = z.object({ providerId: identifierField });
const JSON_TYPE = /^application\/json\s*(;|$)/i;

/**
 * The Integration API of a protocol server: what its OCM servers tell it of shares. Whatever goes wrong becomes an answer
 * (400 for what was said, 401 for who said it, 503 for what cannot be done now). OCM-IP, Integration API, I-024
 */
export class IntegrationApi {
  private readonly origin: string;
  private readonly path: string;
  private readonly mountedAt: string;
  private readonly revocations: Revocations;
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(private readonly options: IntegrationApiOptions) {
    const { origin, pathname } = new URL(options.integrationApi);
    this.revocations = new Revocations(options.now);
    this.origin = origin;
    this.path = withoutSlash(pathname);
    this.mountedAt = withoutSlash(options.mountedAt ?? pathname);
  }

  /** Whether a request is for this API. */
  owns(url: string): boolean {
    return this.actionOf(url) !== undefined;
  }

  /** Never throws. */
  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const action = this.actionOf(request.url) ?? '';
    try {
      const answer = await this.act(action, request);
      this.options.tell?.({ action, code: 'ok' });
      return answer;
    } catch (error) {
      this.options.tell?.({ action, code: isFault(error) ? error.code : 'internal', error });
      return refusal(error);
    }
  }

  private async act(action: string, request: ApiRequest): Promise<ApiAnswer> {
    if (action === '' && ['GET', 'HEAD'].includes(request.method)) return answered(200, { status: 'ok' }); // I-028
    if (action !== '/shares' && action !== '/revoke') throw new Fault('not-found');
    if (request.method !== 'POST') throw new Fault('method.not-allowed');
    const { proof, json } = await this.proved(request);
    return action === '/shares' ? this.provision(proof, json) : this.revoke(proof, json);
  }

  private async proved(request: ApiRequest): Promise<{ proof: Proof; json: unknown }> {
    const { method, url, headers: fields, body } = request;
    if (body.length > LONGEST_BODY) throw new Fault('body.too-large', { most: LONGEST_BODY });
    if (!JSON_TYPE.test(String(fields['content-type']))) throw new Fault('media-type.unsupported');
    const json = parseJson(body);
    const proof = await provedSender({ method, targetUri: this.targetOf(url), fields }, body, json, this.options);
    return { proof, json };
  }

  /** OCM-IP, Provisioning a Share, I-020, I-022 */
  private async provision({ domain, said }: Proof, json: unknown): Promise<ApiAnswer> {
    const intended = readIntendedShare(json, domain);
    const { providerId } = intended;
    return this.inTurn(intended, async () => {
      if (this.revocations.overtook(domain, providerId, said))
        throw new Fault('provision.revoked', { domain, providerId });
      const allocated = withoutSecrets(await this.options.allocate?.(intended));
      const record = settled(intended, allocated);
      try {
        await this.options.records.put(record);
      } catch (error) {
        await this.released(record);
        throw error;
      }
      return answered(201, { status: 'stored', ...(allocated === undefined ? {} : { protocol: allocated }) });
    });
  }

  /** OCM-IP, Revoking a Share, I-027 */
  private async revoke({ domain, said, until }: Proof, json: unknown): Promise<ApiAnswer> {
    const { providerId } = parseBody(revocation, json);
    return this.inTurn({ domain, providerId }, async () => {
      this.revocations.note(domain, providerId, { said, until });
      const gone = await this.options.records.remove(domain, providerId);
      if (gone) await this.released(gone);
      return answered(200, { status: gone ? 'revoked' : 'gone' });
    });
  }

  private async released(record: ShareRecord): Promise<void> {
    try {
      await this.options.release?.(record);
    } catch (error) {
      this.options.tell?.({ action: 'release', code: isFault(error) ? error.code : 'internal', error });
    }
  }

  /** One after the other for each share: who gives up waiting and revokes must not be overtaken by what it revokes. */
  private async inTurn<T>(share: Pick<ShareRecord, 'domain' | 'providerId'>, work: () => Promise<T>): Promise<T> {
    const key = JSON.stringify([share.domain, share.providerId]);
    const mine = (this.turns.get(key) ?? Promise.resolve()).then(work, work);
    this.turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.turns.get(key) === mine) this.turns.delete(key);
    }
  }

  /** What stands behind the base URL: empty for itself; nothing when the request is for something else. */
  private actionOf(url: string): string | undefined {
    const path = withoutSlash(url.replace(/\?.*$/s, ''));
    return path === this.mountedAt || path.startsWith(`${this.mountedAt}/`)
      ? path.slice(this.mountedAt.length)
      : undefined;
  }

  /**
   * The URI that the sender signed, by configuration alone: neither `Host` nor what a proxy forwards can change it.
   * OCM-IP, Integration API, I-016
   */
  private targetOf(url: string): string {
    return this.origin + this.path + url.slice(this.mountedAt.length);
  }
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, '');

const answered = (status: number, body: object, more: Readonly<Record<string, string>> = {}): ApiAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...more },
  body: JSON.stringify(body),
});

function refusal(error: unknown): ApiAnswer {
  if (!isFault(error)) return answered(500, { error: 'internal' });
  const errors = error.code === 'body.malformed' ? { errors: error.facts['errors'] } : {};
  const later = error.status === 503 ? { 'retry-after': '10' } : {};
  return answered(error.status, { error: error.code, ...errors }, later);
}
