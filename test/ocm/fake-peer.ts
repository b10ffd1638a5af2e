import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import { signRequest, signResponse } from '../../src/ocm/message-signing.js';
import type { SignatureAlgorithm } from '../../src/ocm/signature-algorithm.js';
import { golden } from './golden.js';
import { pair, type Pair } from './signing.js';
import { json, type StubNetwork } from './stub-network.js';

/** Another server, as far as it can be seen from outside. */
export class FakePeer {
  key: Pair;
  /** What it publishes; tests change it. */
  published: object[];
  document: Record<string, unknown>;
  cacheControl = 'max-age=600';

  constructor(
    readonly host: string,
    private readonly network: StubNetwork,
    alg: SignatureAlgorithm = 'Ed25519',
  ) {
    this.key = pair(`${host}#http-1`, alg);
    this.published = [this.key.jwk];
    this.document = {
      ...(golden('discovery') as object),
      endPoint: `https://${host}/ocm`,
      jwksUri: `https://${host}/ocm/jwks`,
      tokenEndPoint: `https://${host}/ocm/token`,
    };
    const headers = () => ({ 'cache-control': this.cacheControl });
    network.at(`https://${host}/.well-known/ocm`, () => json(this.document, 200, headers()));
    network.at(`https://${host}/ocm/jwks`, () => json({ keys: this.published }, 200, headers()));
  }

  /** Header fields of a signed request to `url`. */
  sign(method: string, url: string, body: Uint8Array, now: Date, key = this.key): Record<string, string> {
    const own = { host: new URL(url).host, ...(method === 'GET' ? {} : { 'content-type': 'application/json' }) };
    return { ...own, ...signRequest({ method, targetUri: url, fields: own }, body, key.signing, now) };
  }

  /** Answers at `url`, signed for the request; with `body`, changed afterwards. */
  answerSigned(url: string, answer: HttpAnswer, now: () => Date, key = () => this.key, body = answer.body): void {
    this.network.at(url, (request: HttpRequest) => {
      const requested = { method: request.method, targetUri: request.url, fields: request.headers };
      const head = { status: answer.status, fields: {}, request: requested };
      const signed = signResponse(head, 'ocm', answer.body, key().signing, now());
      return { ...answer, body, headers: { ...answer.headers, ...signed } };
    });
  }
}
