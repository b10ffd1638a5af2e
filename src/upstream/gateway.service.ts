import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { Fault, isFault } from '../kernel/fault.js';
import { publicTarget } from '../ocm/public-target.js';
import { Config } from '../platform/config.js';
import { OwnershipService } from './ownership.service.js';
import { doorOf } from './ownership.js';
import { requestFields, valuesOf } from './passed-fields.js';
import { PlatformDocuments } from './platform-documents.service.js';
import { UpstreamClient } from './upstream.client.js';
import { OUR_END_POINT, upstreamPath, withQuery } from './upstream-path.js';

/**
 * Stands before everything else that arrives below our endPoint, and passes on to the file platform what is its own: as it
 * came, and unjudged. What is ours goes its way as if nothing had looked at it. D-29
 */
@Injectable()
export class GatewayService {
  private stopping = false;

  constructor(
    private readonly config: Config,
    private readonly ownership: OwnershipService,
    private readonly documents: PlatformDocuments,
    private readonly client: UpstreamClient,
  ) {}

  /** Before the routes are ready. Without a file platform nothing changes. */
  stand(server: FastifyInstance): void {
    if (this.config.upstream === undefined) return;
    server.addHook('preClose', (done) => {
      this.stopping = true;
      done();
    });
    server.addHook('preParsing', (request, reply, payload) => this.admit(request, reply, payload));
  }

  /** The body for whoever comes next; nobody does once the reply is in the hands of the file platform. */
  private async admit(request: FastifyRequest, reply: FastifyReply, payload: RequestPayload): Promise<RequestPayload> {
    try {
      if (request.is404) {
        const isBelow = request.raw.url?.startsWith(`${OUR_END_POINT}/`);
        if (isBelow) await this.pass(request, reply, this.streamed(request, payload));
        return payload;
      }
      const door = request.method === 'POST' ? doorOf(request.routeOptions.url) : undefined;
      if (door === undefined) return payload;
      const body = await this.whole(request, payload);
      if (await this.ownership.isOurs(door, body, request.headers['signature-input'])) return again(body);
      const platform = door === 'token' ? await this.documents.platform() : undefined;
      if (door === 'token' && platform?.tokenEndPoint === undefined) return again(body);
      await this.pass(request, reply, isChunked(request) ? again(body) : body, platform?.tokenEndPoint);
      return payload;
    } catch (error) {
      // The rest of the body is not waited for.
      if (isFault(error) && error.status < 500) void reply.header('connection', 'close');
      throw error;
    }
  }

  private async pass(
    request: FastifyRequest,
    reply: FastifyReply,
    body: Buffer | Readable | null,
    place?: string,
  ): Promise<void> {
    const { method, raw } = request;
    const url = raw.url ?? '';
    publicTarget(this.config.publicUrl, { host: request.host, url });
    const fields = requestFields(raw.rawHeaders, `covey.${this.config.domain}`);
    const endPoint = (await this.documents.platform())?.endPoint ?? OUR_END_POINT;
    const path = place === undefined ? upstreamPath(endPoint, url) : withQuery(place, url);
    await this.client.pass({ method, path, fields, body }, reply.raw, () => {
      reply.hijack();
      // What this server says in its own answers is not the platform's to say.
      for (const name of reply.raw.getHeaderNames()) reply.raw.removeHeader(name);
      if (this.stopping) reply.raw.shouldKeepAlive = false;
    });
  }

  /** Throws `body.too-large`. */
  private async whole(request: FastifyRequest, payload: RequestPayload): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.bounded(request, payload)) parts.push(part);
    return Buffer.concat(parts);
  }

  private streamed(request: FastifyRequest, payload: RequestPayload): Readable | null {
    const isEmpty = !isChunked(request) && Number(request.headers['content-length'] ?? 0) === 0;
    return isEmpty ? null : Readable.from(this.bounded(request, payload), { objectMode: false });
  }

  /** Leaves the connection to the one who answers, unlike a loop over the body itself. */
  private async *bounded(request: FastifyRequest, payload: RequestPayload): AsyncGenerator<Uint8Array> {
    const { bodyLimit } = this.config;
    const tooLarge = () => new Fault('body.too-large', { bodyLimit });
    if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw tooLarge();
    let length = 0;
    try {
      for await (const part of (payload as Readable).iterator({ destroyOnReturn: false })) {
        length += (part as Uint8Array).length;
        if (length > bodyLimit) throw tooLarge();
        yield part as Uint8Array;
      }
    } catch (error) {
      throw isFault(error) ? error : new Fault('request.malformed', { reason: 'the body broke off' }, error);
    }
  }
}

const isChunked = ({ raw }: FastifyRequest): boolean => valuesOf(raw.rawHeaders, 'transfer-encoding').length > 0;

const again = (body: Buffer): Readable => Readable.from(body.length === 0 ? [] : [body], { objectMode: false });
