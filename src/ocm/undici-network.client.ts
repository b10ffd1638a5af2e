import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, buildConnector, request as undiciRequest } from 'undici';
import { Fault } from '../kernel/fault.js';
import { Network, type HttpAnswer, type HttpRequest } from '../kernel/network.js';
import './empty-body.provider.js';
import { isAddress, isListed, isLocalName, mayConnect, type AddressPolicy } from './public-ip.js';

type Resolve = (hostname: string, answer: (error: Error | null, found: readonly LookupAddress[]) => void) => void;

const CONNECT_MS = 10_000;
const IDLE_MS = 30_000;
const CONNECTIONS_PER_HOST = 32;

const systemResolve: Resolve = (hostname, answer) => {
  systemLookup(hostname, { all: true }, (error, found) => answer(error, found));
};

/** The network of the machine, with kept connections and a guard on every address that is connected to. */
export class UndiciNetwork extends Network {
  private readonly agent: Agent;
  /** For what was configured here. A connection of the one is never used by the other. */
  private readonly configuredAgent: Agent;

  constructor(
    private readonly policy: AddressPolicy,
    private readonly resolve: Resolve = systemResolve,
    privateTargets: readonly string[] = [],
  ) {
    super();
    this.agent = this.agentFor([]);
    this.configuredAgent = this.agentFor(privateTargets);
  }

  async fetch({
    method,
    url,
    headers,
    body,
    timeoutMs,
    maxBytes,
    headOnly,
    configured,
  }: HttpRequest): Promise<HttpAnswer> {
    try {
      const answer = await undiciRequest(url, {
        dispatcher: configured === true ? this.configuredAgent : this.agent,
        method,
        headers: { ...headers },
        body: body ?? null,
        signal: AbortSignal.timeout(timeoutMs),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      if (headOnly === true) {
        // A short one is read, so that the connection can be used again; nothing that goes wrong with it matters.
        await answer.body.dump({ limit: maxBytes }).catch(() => undefined);
        return { status: answer.statusCode, headers: joined(answer.headers), body: new Uint8Array() };
      }
      const read = new Uint8Array(await readUpTo(answer.body, maxBytes, Number(answer.headers['content-length'])));
      return { status: answer.statusCode, headers: joined(answer.headers), body: read };
    } catch (error) {
      throw asFault(error, url);
    }
  }

  /** Ends the connections that are kept. */
  async close(): Promise<void> {
    await Promise.all([this.agent.close(), this.configuredAgent.close()]);
  }

  private agentFor(targets: readonly string[]): Agent {
    const allows: Allows = (address, hostname) =>
      mayConnect(address, this.policy) || isListed(address, hostname, targets);
    const lookup = this.lookupFor(allows);
    return new Agent({
      connections: CONNECTIONS_PER_HOST,
      keepAliveTimeout: IDLE_MS,
      connect: guarded(buildConnector({ timeout: CONNECT_MS, lookup }), allows),
    });
  }

  private readonly lookupFor =
    (allows: Allows): LookupFunction =>
    (hostname, options, callback) => {
      const answer = (error: Error | null, found: readonly LookupAddress[]) => {
        const allowed = found.filter(({ address }) => allows(address, hostname));
        const [first] = allowed;
        if (error || !first) {
          callback(error ?? new Fault('peer.address-refused', { hostname }), '');
        } else if (options.all) {
          callback(null, allowed);
        } else {
          callback(null, first.address, first.family);
        }
      };
      if (isLocalName(hostname)) answer(null, [{ address: '127.0.0.1', family: 4 }]);
      else this.resolve(hostname, answer);
    };
}

/** Whether an address may be connected to, reached by the name. */
type Allows = (address: string, hostname: string) => boolean;
type Connector = buildConnector.connector;

/**
 * Addresses are judged thrice: as literals, which no lookup sees; as what a name resolves to; and as what is connected
 * in the end.
 */
export function guarded(connect: Connector, allows: Allows): Connector {
  const refused = (address: string) => new Fault('peer.address-refused', { address });
  return (options, callback) => {
    if (isAddress(options.hostname) && !allows(options.hostname, options.hostname)) {
      callback(refused(options.hostname), null);
      return;
    }
    connect(options, (...[error, socket]) => {
      const address = socket?.remoteAddress ?? '';
      if (error || allows(address, options.hostname)) {
        callback(...([error, socket] as Parameters<buildConnector.Callback>));
        return;
      }
      socket?.destroy();
      callback(refused(address), null);
    });
  };
}

type Body = AsyncIterable<Uint8Array> & { destroy(): unknown };

async function readUpTo(body: Body, maxBytes: number, announced: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const tooLarge = announced > maxBytes;
  if (!tooLarge) {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) break;
      chunks.push(chunk);
    }
  }
  if (!tooLarge && length <= maxBytes) return Buffer.concat(chunks);
  (body as unknown as NodeJS.EventEmitter).on('error', () => undefined);
  body.destroy();
  throw new Fault('peer.answer-too-large', { maxBytes });
}

const joined = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

function asFault(error: unknown, url: string): Fault {
  if (error instanceof Fault) return error;
  const { host } = new URL(url);
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  const timedOut = name === 'TimeoutError' || (typeof code === 'string' && TIMEOUTS.has(code));
  if (timedOut) return new Fault('peer.timeout', { host }, error);
  return new Fault('peer.unreachable', { host, reason: typeof code === 'string' ? code : message }, error);
}
