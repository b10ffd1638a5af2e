import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'undici';
import { Fault, isFault } from '../kernel/fault.js';
import '../ocm/empty-body.provider.js';
import { Config } from '../platform/config.js';
import { parseJson } from '../platform/json.js';
import { answerFields, pairs } from './passed-fields.js';

/** A request for the file platform, as it is to arrive there. */
export interface Passed {
  readonly method: string;
  /** Path and query: the address is the configured one, whatever was asked for. */
  readonly path: string;
  readonly fields: readonly string[];
  readonly body: Buffer | Readable | null;
}

const NOTHING = Buffer.alloc(0);
const READ_MS = 10_000;
const MOST_READ = 1024 * 1024;
const MOST_HOPS = 3;
const MOVED = new Set([301, 302, 303, 307, 308]);

/**
 * The connection to the file platform. It goes to the configured address and nowhere else, private as that may be, and so
 * not over the network that guards us from other servers.
 */
@Injectable()
export class UpstreamClient implements OnApplicationShutdown {
  private readonly pool: Pool | undefined;

  constructor(private readonly config: Config) {
    const { upstream, upstreamTimeoutMs: timeout } = config;
    if (upstream === undefined) return;
    this.pool = new Pool(new URL(upstream).origin, {
      connect: { timeout: Math.min(timeout, READ_MS) },
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
  }

  onApplicationShutdown(): Promise<void> | undefined {
    return this.pool?.destroy();
  }

  /**
   * Passes a request on, and the answer back as it comes; `answering` is called once there is one, before anything of it
   * is written. Whoever does not take the answer holds up the platform. Throws `upstream.unreachable` and
   * `upstream.timeout`, both only while nothing is written: an answer that breaks off does so for the one who asked too.
   */
  pass({ method, path, fields, body }: Passed, response: ServerResponse, answering: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let leave = () => undefined as void;
      const gone = () => leave();
      response.once('close', gone);
      this.ready.dispatch(
        { method, path, headers: [...fields], body },
        {
          onRequestStart: (controller) => {
            leave = () => controller.abort(new Fault('upstream.unreachable', { reason: 'nobody waits any more' }));
            if (response.destroyed) leave();
          },
          onResponseStart: (controller, status, _parsed, reason) => {
            if (status < 200) return;
            answering();
            const raw = (controller.rawHeaders as Buffer[]).map((bytes) => bytes.toString('latin1'));
            for (const [name, value] of pairs(answerFields(raw))) response.appendHeader(name, value);
            response.writeHead(status, reason ?? '');
            // Sends the head at once, and byte for byte: `flushHeaders` would turn it into UTF-8.
            response.write(NOTHING);
          },
          onResponseData: (controller, part) => {
            if (response.write(part)) return;
            controller.pause();
            response.once('drain', () => controller.resume());
          },
          onResponseEnd: () => {
            response.off('close', gone);
            response.end();
            resolve();
          },
          onResponseError: (_controller, error) => {
            response.off('close', gone);
            if (response.headersSent) {
              response.destroy();
              resolve();
            } else {
              reject(asFault(error));
            }
          },
        },
      );
    });
  }

  /**
   * A JSON document of the platform, asked for under our public name; nothing when there is none. Where it says that it is
   * elsewhere, the path counts. Throws `upstream.*` and what `parseJson` throws.
   */
  async read(path: string, hops = 0): Promise<unknown> {
    const { status, location, bytes } = await this.get(path);
    if (
      MOVED.has(status) &&
      location !== undefined &&
      hops < MOST_HOPS &&
      URL.canParse(location, this.config.upstream)
    ) {
      const { pathname, search } = new URL(location, new URL(path, this.config.upstream));
      return this.read(pathname + search, hops + 1);
    }
    if (status === 404 || status === 410) return undefined;
    if (status !== 200) throw new Fault('upstream.malformed', { path, status });
    return parseJson(bytes);
  }

  private async get(path: string): Promise<{ status: number; location: string | undefined; bytes: Uint8Array }> {
    try {
      const { statusCode, headers, body } = await this.ready.request({
        method: 'GET',
        path,
        headers: { host: new URL(this.config.publicUrl).host, accept: 'application/json' },
        signal: AbortSignal.timeout(Math.min(this.config.upstreamTimeoutMs, READ_MS)),
      });
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of body as AsyncIterable<Uint8Array>) {
        length += part.length;
        if (length > MOST_READ) throw new Fault('upstream.malformed', { path, longest: MOST_READ });
        parts.push(part);
      }
      const { location } = headers;
      return {
        status: statusCode,
        location: typeof location === 'string' ? location : undefined,
        bytes: new Uint8Array(Buffer.concat(parts)),
      };
    } catch (error) {
      throw asFault(error);
    }
  }

  private get ready(): Pool {
    if (!this.pool) throw new Error('no file platform is configured');
    return this.pool;
  }
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const NOT_SENT = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

function asFault(error: unknown): Fault {
  if (isFault(error)) return error;
  const { code, name } = error as { code?: unknown; name?: string };
  const reason = typeof code === 'string' ? code : name;
  if (name === 'TimeoutError' || TIMEOUTS.has(String(code))) return new Fault('upstream.timeout', { reason }, error);
  if (NOT_SENT.has(String(code))) return new Fault('request.malformed', { reason }, error);
  return new Fault('upstream.unreachable', { reason }, error);
}
