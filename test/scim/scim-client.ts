import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Config } from '../../src/platform/config.js';
import type { World } from '../support/world.js';

export const FEDERATED = 'urn:covey:params:scim:schemas:extension:Group:2.0';
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
export const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface List {
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly (Record<string, unknown> & { readonly id: string })[];
}

/** Asks the servers of a world as somebody with the API key. */
export class ScimClient {
  constructor(private readonly world: () => World) {}

  async ask(server: string, method: Method, path: string, body?: object | string, headers: object = {}) {
    const running = this.world().server(server);
    const http = running.get<HttpAdapterHost>(HttpAdapterHost).httpAdapter.getInstance<FastifyInstance>();
    const answer = await http.inject({
      method,
      url: `/scim/v2${path}`,
      headers: {
        authorization: `Bearer ${running.get(Config).apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = answer.payload;
    return {
      status: answer.statusCode,
      headers: answer.headers,
      type: String(answer.headers['content-type']).split(';', 1)[0],
      body: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown>,
    };
  }

  get(path: string, server = 'a.test', headers: object = {}) {
    return this.ask(server, 'GET', path, undefined, headers);
  }

  async list(path: string, server = 'a.test'): Promise<List> {
    return (await this.get(path, server)).body as unknown as List;
  }

  /** The ids of what a filter finds. */
  async found(type: 'Users' | 'Groups', filter: string, server = 'a.test'): Promise<string[]> {
    const { Resources } = await this.list(`/${type}?filter=${encodeURIComponent(filter)}`, server);
    return Resources.map(({ id }) => id);
  }
}

type Resource = { readonly body: Record<string, unknown> };

/** What is pending of a resource, each as type, user, who asked, and state. */
export const pendingIn = ({ body }: Resource, extension = FEDERATED) =>
  ((body[extension] as { pending?: { type: string; user: string; by: string; state: string }[] })?.pending ?? []).map(
    ({ type, user, by, state }) => [type, user, by, state].join(' '),
  );

export const membersIn = ({ body }: Resource) => (body['members'] as { value: string }[]).map(({ value }) => value);
