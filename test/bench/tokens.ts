import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import pg from 'pg';
import { ProtocolServer, readJsonOver } from '../../src/integration/protocol-server.js';
import { type Host, host } from '../../src/kernel/address.js';
import { ServerKeysService, TokenKeys } from '../../src/ocm/server-keys.service.js';
import { ReceivedShareRepository } from '../../src/shares/received-share.repository.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { IntrospectionService } from '../../src/tokens/introspection.service.js';
import { TokensService } from '../../src/tokens/tokens.service.js';
import type { World } from '../support/world.js';
import { type Comparison, compare } from './measure.js';

const CONCURRENCY = 8;
const TOKENS = 300;

/**
 * A secret exchanged for a token, judged by the group as it is, against signing the same claims, with and without
 * inserting a row; what is good now, against looking the grant up; a token verified by the library, against jose.
 */
export async function benchTokens(world: World, url: string): Promise<Comparison[]> {
  const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY });
  await pool.query('CREATE TABLE IF NOT EXISTS bench_token (jti text PRIMARY KEY, client text, issued timestamptz)');
  try {
    return [...(await issuance(world, pool)), await introspection(world, pool), await verification(world)];
  } finally {
    await pool.query('DROP TABLE bench_token');
    await pool.end();
  }
}

async function issued(world: World) {
  const tokens = world.server('a.test').get(TokensService);
  const code = await secretOf(world);
  const clientId = 'b.test' as Host;
  // No more than so many in a second are given for one secret.
  const rest = () => world.clock.advanceSeconds(60);
  rest();
  return { exchange: () => tokens.exchange(clientId, { clientId, code }), rest };
}

async function issuance(world: World, pool: pg.Pool): Promise<Comparison[]> {
  const { exchange, rest } = await issued(world);
  const claims = decodeJwt((await exchange()).access_token);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const own = world.server('a.test').get(TokenKeys).current();
  const sign = (jti: string, key = other) =>
    new SignJWT({ ...claims, jti }).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' }).sign(key);
  const contest = {
    what: 'token issuance',
    ours: 'Covey, an exchange',
    operations: TOKENS,
    concurrency: CONCURRENCY,
    prepareOurs: rest,
    doOurs: exchange,
  };
  return [
    await compare({
      ...contest,
      bare: 'jose and one insert',
      doBare: async () => {
        const jti = randomUUID();
        await pool.query('INSERT INTO bench_token VALUES ($1, $2, now())', [jti, 'b.test']);
        return sign(jti);
      },
    }),
    await compare({
      ...contest,
      bare: 'jose with the same key',
      doBare: () => sign(randomUUID(), own.privateKey),
    }),
  ];
}

async function introspection(world: World, pool: pg.Pool): Promise<Comparison> {
  const { exchange } = await issued(world);
  const token = (await exchange()).access_token;
  const introspections = world.server('a.test').get(IntrospectionService);
  const { client_id: providerId } = decodeJwt(token) as { client_id: string };
  const doOurs = async () => {
    if (!(await introspections.introspect('hub', token)).active) throw new Error('the token is inactive');
  };
  return compare({
    what: 'introspection',
    ours: 'Covey, of a token',
    bare: 'one select',
    operations: TOKENS,
    concurrency: CONCURRENCY,
    doOurs,
    doBare: () => pool.query('SELECT * FROM token_grant WHERE provider_id = $1', [providerId]),
  });
}

async function verification(world: World): Promise<Comparison> {
  const { exchange } = await issued(world);
  const token = (await exchange()).access_token;
  const now = () => world.clock.now();
  const server = new ProtocolServer({
    pairings: [{ domain: 'a.test', modes: ['self-contained'] }],
    read: readJsonOver(world.network.networkOf(host('files.test'), () => true)),
    now,
  });
  const { published } = world.server('a.test').get(ServerKeysService);
  const keys = createLocalJWKSet({ keys: [...published.keys] });
  return compare({
    what: 'verification',
    ours: 'the library, with what it means',
    bare: 'jose, jwtVerify',
    operations: TOKENS,
    concurrency: CONCURRENCY,
    doOurs: () => server.verify(token),
    doBare: () => jwtVerify(token, keys, { issuer: 'https://a.test', typ: 'at+jwt', currentDate: now() }),
  });
}

/** As b.test keeps it. */
async function secretOf(world: World): Promise<string> {
  const server = world.server('b.test');
  const [row] = await server.query<{ id: string }>(`SELECT id FROM received_share WHERE from_host = 'a.test'`);
  const received = server.get(ReceivedShareRepository);
  const secret = await server.get(TransactionService).run((tx) => received.secret(tx, row!.id));
  if (secret === undefined) throw new Error('b.test has no secret');
  return secret;
}
