import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Clock } from '../kernel/clock.js';
import { utf8 } from '../kernel/bytes.js';
import { signResponse } from './message-signing.js';
import { ServerKeysService } from './server-keys.service.js';
import { signedRequest } from './signed-request.js';

/** Signs answers where the bytes are known that go out: behind everything that could still change them. D-06 */
@Injectable()
export class SignedAnswerService implements OnModuleInit {
  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly keys: ServerKeysService,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    const server = this.adapter.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onSend', (request, reply, payload, done) => {
      try {
        this.sign(request, reply, payload);
        done(null, payload);
      } catch (error) {
        done(error as Error);
      }
    });
  }

  private sign(request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
    const proof = signedRequest(request);
    if (!proof?.signAnswer) return;
    const body = bytesOf(payload);
    const head = { status: reply.statusCode, fields: {}, request: proof.head };
    void reply.headers(signResponse(head, proof.label, body, this.keys.http, this.clock.now()));
  }
}

function bytesOf(payload: unknown): Uint8Array {
  if (payload === undefined || payload === null) return new Uint8Array();
  if (typeof payload === 'string') return utf8(payload);
  if (payload instanceof Uint8Array) return payload;
  throw new Error('a signed answer cannot be a stream');
}
