import {
  type ApiAnswer,
  type ApiRequest,
  MemoryRecords,
  type Pairing,
  ProtocolServer,
  type ProtocolServerOptions,
} from '../../src/integration/protocol-server.js';
import { host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { type RequestHead, signMessage } from '../../src/ocm/message-signature.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { signBytes } from '../../src/ocm/signature-algorithm.js';
import { type Pair, pair } from '../ocm/signing.js';
import { CLAIMS, Issuer, NOW } from './issuer.js';

export const API = 'https://files.test/ocm-ip';

/** A share as its OCM server announces it to a protocol server. */
export const SHARE = {
  sender: 'alice@a.test',
  owner: 'alice@a.test',
  shareWith: 'lab@a.test',
  providerId: CLAIMS.client_id,
  shareType: 'federation',
  resourceType: 'file',
  name: 'data.tar',
  protocol: {
    name: 'multi',
    webdav: { uri: 'data.tar', permissions: ['read'], requirements: ['must-exchange-token'] },
  },
};

export interface Sent {
  /** Path behind the base URL of the API. */
  readonly action?: string;
  readonly body?: object | string;
  readonly at?: Date;
  readonly fields?: Record<string, string>;
  /** The URI that is signed, where it is not the one that is asked. */
  readonly signedUri?: string;
  /** Whatever is to be broken between signing and sending. */
  readonly change?: (head: RequestHead) => RequestHead;
  readonly by?: Pair;
}

/** An OCM server that provisions: an issuer of tokens with a key for its requests. */
export class Sender extends Issuer {
  readonly http: Pair;

  constructor(readonly domain = 'a.test') {
    super(`https://${domain}`);
    this.http = pair(`${domain}#http`);
    this.publish(this.http.jwk);
  }

  request({ action = '/shares', body = SHARE, at = NOW, fields = {}, signedUri, change, by }: Sent = {}): ApiRequest {
    const bytes = utf8(typeof body === 'string' ? body : JSON.stringify(body));
    const head = {
      method: 'POST',
      targetUri: signedUri ?? API + action,
      fields: { host: 'files.test', 'content-type': 'application/json', ...fields },
    };
    const signed = { ...head, fields: { ...head.fields, ...signRequest(head, bytes, (by ?? this.http).signing, at) } };
    const { method, fields: headers } = change ? change(signed) : signed;
    return { method, url: new URL(API + action).pathname, headers, body: bytes };
  }

  async send(server: ProtocolServer, sent: Sent = {}): Promise<ApiAnswer & { json: Record<string, unknown> }> {
    const answer = await server.integrate(this.request(sent));
    return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown> };
  }

  /** Signs anew, over these components and with these parameters. */
  resigned(components: readonly string[], parameters: Record<string, string | number>, label = 'sig1') {
    const { alg, privateKey } = this.http.signing;
    const sign = (base: Uint8Array) => signBytes(alg, privateKey, base);
    return (head: RequestHead): RequestHead => ({
      ...head,
      fields: { ...head.fields, ...signMessage(head, { label, components, parameters, sign }) },
    });
  }
}

export const PAIRED: readonly Pairing[] = [{ domain: 'a.test', modes: ['provisioned'] }];

/** An OCM server, and a protocol server with room for two of its shares. */
export function world(more: Partial<ProtocolServerOptions> = {}) {
  const sender = new Sender();
  const records = new MemoryRecords(() => NOW, 2);
  const options = { pairings: PAIRED, read: sender.read, now: () => NOW, integrationApi: API, records, ...more };
  const found = (id = SHARE.providerId) => records.find(host('a.test'), id);
  return { sender, found, server: new ProtocolServer(options) };
}
