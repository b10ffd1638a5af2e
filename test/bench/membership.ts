import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { Agent, request } from 'undici';
import type { OcmAddress } from '../../src/kernel/address.js';
import { MembershipService } from '../../src/membership/membership.service.js';
import { Config } from '../../src/platform/config.js';
import type { World } from '../support/world.js';
import { type Comparison, compare } from './measure.js';

const CONCURRENCY = 8;
const QUESTIONS = 500;
const BARE = `SELECT g.epoch, m.address IS NOT NULL AS member FROM federated_group g
  LEFT JOIN group_member m ON m.mls_group_id = g.mls_group_id AND m.address = $2 WHERE g.address = $1`;

/** "Is X in G?", asked of the service and over HTTP, against the bare query. */
export async function benchMembership(
  world: World,
  url: string,
  group: OcmAddress,
  user: OcmAddress,
): Promise<Comparison[]> {
  const server = world.server('a.test');
  const memberships = server.get(MembershipService);
  const fastify = server.get<HttpAdapterHost>(HttpAdapterHost).httpAdapter.getInstance() as FastifyInstance;
  const origin = await fastify.listen({ host: '127.0.0.1', port: 0 });
  const agent = new Agent({ connections: CONCURRENCY });
  const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY });
  const common = {
    bare: 'the bare query',
    operations: QUESTIONS,
    concurrency: CONCURRENCY,
    doBare: () => pool.query(BARE, [group, user]),
  };
  const path = `/api/v1/groups/${encodeURIComponent(group)}/members/${encodeURIComponent(user)}`;
  const headers = { host: 'a.test', authorization: `Bearer ${server.get(Config).apiKey}` };
  try {
    const service = await compare({
      ...common,
      what: 'is X in G? (service)',
      ours: 'Covey',
      doOurs: () => memberships.standing(group, user),
    });
    const http = await compare({
      ...common,
      what: 'is X in G? (HTTP)',
      ours: 'Covey, with API key',
      doOurs: async () => {
        const answer = await request(origin + path, { headers, dispatcher: agent });
        if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
        await answer.body.dump();
      },
    });
    return [service, http];
  } finally {
    await agent.close();
    await pool.end();
  }
}
