import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../kernel/fault.js';
import { Announcement } from '../ocm/announcement.service.js';
import { type JwkSet, parseJwkSet } from '../ocm/jwk-set.js';
import { Config } from '../platform/config.js';
import { handedOver } from './handed-over.js';
import { jointDiscovery, jointJwkSet, readPlatform } from './joint-documents.js';
import { OwnershipService } from './ownership.service.js';
import { doorOf } from './ownership.js';
import { answerFields, type RawFields } from './passed-fields.js';

/** An answer to the one who made the original request. */
export interface Handed {
  readonly status: number;
  readonly fields: RawFields;
  readonly body: Buffer;
}

const METHODS = ['GET', 'POST'] as const;

/** What the file platform hands over when it stands in front of this server. D-29 */
@Injectable()
export class HandoverService {
  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly config: Config,
    private readonly ownership: OwnershipService,
    private readonly announcement: Announcement,
  ) {}

  /**
   * What we answer to a request that the file platform took, judged from the start as if it had come here: its signature
   * first. Nothing when it is the platform's own. Throws `handover.*` and `request.misdirected`.
   */
  async take(raw: RawFields, body: Buffer, from: string): Promise<Handed | undefined> {
    const { method, url, fields } = handedOver(raw, body.length, this.config.publicUrl);
    const [path = ''] = url.split('?', 1);
    const known = METHODS.find((one) => one === method);
    if (known === undefined || !this.server.hasRoute({ method: known, url: path })) return undefined;
    const door = known === 'POST' ? doorOf(path) : undefined;
    const ours = door === undefined || (await this.ownership.isOurs(door, body, fields['signature-input']));
    if (!ours) return undefined;
    const { statusCode, rawPayload, headers } = await this.server
      .inject({
        method: known,
        url,
        headers: { ...fields },
        remoteAddress: from,
        ...(body.length > 0 && { payload: body }),
      })
      .catch((error: unknown) => {
        throw (error as { code?: unknown }).code === CLOSING ? new Fault('handover.stopping', {}, error) : error;
      });
    const answered = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().flatMap((one) => [name, String(one)]),
    );
    return { status: statusCode, fields: answerFields(answered), body: rawPayload };
  }

  /** The platform's document with what we add to it. Throws `body.malformed`. */
  joinDiscovery(document: unknown): object {
    const hosts = [new URL(this.config.publicUrl).host];
    return jointDiscovery(
      this.announcement.ownDiscovery(),
      read(() => readPlatform(document, hosts)),
    );
  }

  /** The platform's keys with ours. Throws `body.malformed`. */
  joinJwkSet(keys: unknown): JwkSet {
    return jointJwkSet(
      this.announcement.ownJwkSet(),
      read(() => parseJwkSet(keys)),
    );
  }

  private get server(): FastifyInstance {
    return this.adapter.httpAdapter.getInstance<FastifyInstance>();
  }
}

const CLOSING = 'FST_ERR_REOPENED_CLOSE_SERVER';

/** Who sends it is the platform itself, and so it is its request that is wrong. */
function read<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const { facts } = error as Fault;
    throw new Fault('body.malformed', { reason: 'not a document of a file platform', ...facts }, error);
  }
}
