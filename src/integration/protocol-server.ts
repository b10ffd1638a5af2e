import { Fault } from '../kernel/fault.js';
import { type Access, AccessVerifier } from './access-verifier.js';
import { AllowList, type Pairing } from './allow-list.js';
import { bearerToken, type FileAccess, type FilePolicy, judgeFileAccess } from './file-access.js';
import { type ApiAnswer, type ApiRequest, type Hooks, IntegrationApi } from './integration-api.js';
import { Introspector, type PostForm } from './introspector.js';
import { IssuerKeys, type ReadJson } from './issuer-keys.js';
import { MemoryRecords, type ShareRecords } from './share-records.js';

export { Fault, isFault } from '../kernel/fault.js';
export type { Access } from './access-verifier.js';
export type { Mode, Pairing } from './allow-list.js';
export { boundedBody } from './bounded-body.js';
export { type FileAccess, type FilePolicy, refusalFields } from './file-access.js';
export { type ApiAnswer, type ApiRequest, LONGEST_BODY } from './integration-api.js';
export type { FormPost, PostForm } from './introspector.js';
export type { ReadJson } from './issuer-keys.js';
export { readJsonOver } from './read-json.js';
export type { IntendedShare, ShareRecord } from './share-record.js';
export { MemoryRecords, type ShareRecords } from './share-records.js';
export { hrefOf, type Path } from './webdav-path.js';

export interface ProtocolServerOptions extends Hooks {
  readonly pairings: readonly Pairing[];
  /** Reads JSON of paired servers: bounded in size and time, without redirects. */
  readonly read: ReadJson;
  readonly now: () => Date;
  /** The public base URL of the Integration API; nothing is provisioned without. */
  readonly integrationApi?: string;
  /** The path under which requests for it arrive, where a proxy changes it. */
  readonly mountedAt?: string;
  /** In memory when absent. */
  readonly records?: ShareRecords;
  /** How the one server that is paired for it is asked about credentials. */
  readonly introspection?: { readonly endPoint: string; readonly post: PostForm };
  /** Development on one machine only: paired servers may be plain HTTP. */
  readonly plainHttp?: boolean;
}

/**
 * The protocol server's half of the OCM Integration Protocol, for whoever serves files or applications to people that an
 * OCM server shares them with. It neither listens nor asks by itself. OCM-IP, Architecture
 */
export class ProtocolServer {
  private readonly verifier: AccessVerifier;
  private readonly api: IntegrationApi | undefined;

  /** Throws `config.wrong`. */
  constructor(options: ProtocolServerOptions) {
    const { now, introspection, integrationApi } = options;
    const plainHttp = options.plainHttp === true;
    const pairings = new AllowList(options.pairings);
    const keys = new IssuerKeys({ read: options.read, now, plainHttp });
    const records = options.records ?? new MemoryRecords(now);
    const trust = { pairings, keys, records, now, plainHttp };
    const introspector = introspection && new Introspector({ ...introspection, now, plainHttp });
    this.verifier = new AccessVerifier({ ...trust, ...(introspector ? { introspector } : {}) });
    this.api = integrationApi === undefined ? undefined : new IntegrationApi({ ...options, ...trust, integrationApi });
  }

  /** Whether the request is one of the back channel, for `integrate`. */
  integrates(url: string): boolean {
    return this.api?.owns(url) ?? false;
  }

  /** The answer to a request of an OCM server. Never throws. */
  integrate(request: ApiRequest): Promise<ApiAnswer> {
    if (this.api) return this.api.answer(request);
    return Promise.resolve({ status: 404, headers: {}, body: '' });
  }

  /** What a credential says. `expiresAt` is when it expires by the word of who brought it. Throws `access.*`. */
  verify(credential: string, hint: { readonly expiresAt?: Date } = {}): Promise<Access> {
    return this.verifier.verify(credential, hint);
  }

  /**
   * What a request with this `Authorization` may do to the file that `reference` names below `root`. Paths are those of the
   * issuer: with several pairings each is best given a tree of its own. Throws `access.*`.
   */
  async open(
    authorization: string | undefined,
    reference: string,
    root: URL,
    policy: FilePolicy = {},
  ): Promise<FileAccess> {
    const token = bearerToken(authorization);
    if (token === undefined) throw new Fault('access.missing');
    return judgeFileAccess(await this.verify(token), reference, root, policy);
  }
}
