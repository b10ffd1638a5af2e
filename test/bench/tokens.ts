import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import pg from 'pg';
import type { Host } from '../../src/kernel/address.js';
import { ReceivedShareRepository } from '../../src/shares/received-share.repository.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { TokensService } from '../../src/tokens/tokens.service.js';
import type { World } from '../support/world.js';
import { type Comparison, compare } from './measure.js';

const CONCURRENCY = 8;
const TOKENS = 300;

/** A secret exchanged for a token, judged by the group as it is. Against signing the same claims, and inserting a row. */
export async function benchTokens(world: World, url: string): Promise<Comparison> {
  const tokens = world.server('a.test').get(TokensService);
  const code = await secretOf(world);
  const clientId = 'b.test' as Host;
  const claims = decodeJwt((await tokens.exchange(clientId, { clientId, code })).access_token);

  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY });
  await pool.query('CREATE TABLE IF NOT EXISTS bench_token (jti text PRIMARY KEY, client text, issued timestamptz)');
  try {
    return await compare({
      what: 'token issuance',
      ours: 'Covey, an exchange',
      bare: 'jose and one insert',
      operations: TOKENS,
      concurrency: CONCURRENCY,
      doOurs: () => tokens.exchange(clientId, { clientId, code }),
      doBare: async () => {
        const jti = randomUUID();
        await pool.query('INSERT INTO bench_token VALUES ($1, $2, now())', [jti, clientId]);
        return new SignJWT({ ...claims, jti }).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' }).sign(key);
      },
    });
  } finally {
    await pool.query('DROP TABLE bench_token');
    await pool.end();
  }
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
