import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DataSource } from 'typeorm';
import { Agent, request } from 'undici';
import type { Host } from '../../src/kernel/address.js';
import type { HttpAnswer } from '../../src/kernel/network.js';
import type { PeerClient } from '../../src/ocm/peer.client.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { answering, OUTBOX_ROWS, PostOffice } from '../outbox/post-office.js';
import { type Comparison, compare, median } from './measure.js';

const BATCH = 20;
const LANES = 8;
/** About what a Commit of a small group takes. */
const BODY = { notificationType: 'MLS_COMMIT', senderDomain: 'a.test', notification: { content: 'x'.repeat(1_000) } };

interface Database {
  readonly url: string;
  readonly poolSize: number;
}

/**
 * Delivery by the outbox, its letters already posted, against the same requests by undici alone: the same handler on
 * loopback, the same bodies, as many at the same time. Signing is left out on both sides.
 */
export async function benchOutbox(database: Database, letters = 800, rounds?: number): Promise<Comparison> {
  await using handler = await startHandler();
  await using office = await openOffice(database, () => handler.post());
  // Awaited here: what it uses is closed when this function returns.
  return await compare({
    what: 'outbox delivery',
    ours: 'outbox to loopback',
    bare: 'undici to loopback',
    operations: letters,
    concurrency: LANES,
    ...(rounds === undefined ? {} : { rounds }),
    prepareOurs: (count) => office.fill(count),
    // A turn delivers a batch: every twentieth operation takes one, the others are delivered along.
    doOurs: async (index) => (index % BATCH === 0 ? office.turn() : undefined),
    doBare: () => handler.post(),
  });
}

/** Letters a second when the network costs nothing: what the database and the courier themselves allow. */
export async function lettersPerSecond(database: Database, letters = 2_000, rounds = 5): Promise<number> {
  await using office = await openOffice(database, async () => answering(201));
  const speeds: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await office.fill(letters);
    const begun = performance.now();
    await Promise.all(Array.from({ length: LANES }, () => office.turns(letters / BATCH / LANES)));
    if (round > 0) speeds.push((letters / (performance.now() - begun)) * 1_000);
  }
  return median(speeds);
}

async function openOffice({ url, poolSize }: Database, post: () => Promise<HttpAnswer>) {
  const options = { type: 'postgres', url, poolSize, installExtensions: false } as const;
  const source = await new DataSource({ ...options, entities: OUTBOX_ROWS }).initialize();
  // So many loops that every lane of every peer may be under way.
  const env = { COVEY_LOG_LEVEL: 'silent', COVEY_DELIVERY_CONCURRENCY: String(LANES) };
  const office = await PostOffice.open({ transactions: async () => new TransactionService(source) }, env);
  const discovery = (peer: Host) => office.peers.client.discovery(peer);
  const courier = office.hire({ discovery, post } as unknown as PeerClient);
  const turn = async () => {
    while (!(await courier.turn())) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    turn,
    async turns(count: number) {
      for (let done = 0; done < count; done++) await turn();
    },
    /** One lane each to as many peers, in whole batches. */
    async fill(letters: number) {
      await office.db.statement((tx) => tx.query('TRUNCATE outbox_letter, outbox_lane, outbox_peer'));
      for (let lane = 0; lane < LANES; lane++) {
        await office.db.run(async (tx) => {
          for (let number = 0; number < letters / LANES; number++) {
            const to = `peer${lane}.test` as Host;
            await office.outbox.post(tx, {
              to,
              lane: 'g',
              endpoint: 'notifications',
              kind: 'MLS_COMMIT',
              subject: '',
              body: BODY,
            });
          }
        });
      }
    },
    [Symbol.asyncDispose]: () => source.destroy(),
  };
}

async function startHandler() {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.writeHead(201, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocm/notifications`;
  const dispatcher = new Agent({ connections: LANES });
  const body = Buffer.from(JSON.stringify(BODY));
  return {
    async post(): Promise<HttpAnswer> {
      const headers = { 'content-type': 'application/json' };
      const answer = await request(url, { method: 'POST', headers, body, dispatcher });
      return { status: answer.statusCode, headers: {}, body: new Uint8Array(await answer.body.arrayBuffer()) };
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
