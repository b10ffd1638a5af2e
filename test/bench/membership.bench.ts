import { HttpAdapterHost } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { Agent, request } from 'undici';
import { test } from 'vitest';
import { createApp } from '../../src/app.module.js';
import { MembershipService } from '../../src/membership/membership.service.js';
import { Config } from '../../src/platform/config.js';
import { Log } from '../../src/platform/logger.service.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { TestDice } from '../support/dice.js';
import type { TestServer } from '../support/server.js';
import { statementsOf } from '../support/statements.js';
import { World } from '../support/world.js';
import { compare, median, table } from './measure.js';
import { BARE, fill, groupAt, plan, type Size, userAt } from './membership-at-size.js';

const SIZE: Size = { groups: 10_000, members: 100, users: 10_000 };
const CONCURRENCY = 32;
const OPERATIONS = 320;
const ROUNDS = 3;
const COMMITS = 200;

type Choice = (most: number) => number;
/** Numbers that are the same in each run. */
const chance = (() => {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
})();
const CHOICES: Readonly<Record<string, Choice>> = {
  // As many of rank 1 to 10 as of rank 10 to 100: the ranks are spread over the numbers.
  Zipf: (most) => (Math.floor(most ** chance()) * 7_927) % most,
  uniform: (most) => Math.floor(chance() * most),
};
const QUESTIONS = ['member', 'groups', 'local'] as const;
type Kind = (typeof QUESTIONS)[number];

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** A second process on the same database, as far as that can be seen from outside. */
function replicaOf(server: TestServer, membershipsKept: number): Promise<NestFastifyApplication> {
  const config = Object.assign(Object.create(Object.getPrototypeOf(server.get(Config)) as object), server.get(Config));
  return createApp({
    config: Object.assign(config as Config, { membershipsKept }),
    clock: { now: () => server.now },
    dice: new TestDice('replica'),
    network: {} as never,
    log: new Log('silent'),
  });
}

async function counts(app: NestFastifyApplication): Promise<{ hits: number; all: number }> {
  const found = [...(await app.get(Metrics).text()).matchAll(/membership_answers_total{.*outcome="(\w+)"} (\d+)/g)];
  const sum = (of: typeof found) => of.reduce((total, [, , count]) => total + Number(count), 0);
  return { hits: sum(found.filter(([, outcome]) => outcome === 'hit')), all: sum(found) };
}

/** Microseconds of processor time that this process spends on one answer. */
async function cpuOf(ask: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let asked = 0; asked < OPERATIONS; asked += CONCURRENCY) {
    await Promise.all(Array.from({ length: CONCURRENCY }, ask));
  }
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / OPERATIONS);
}

interface Question {
  readonly parameters: string[];
  readonly path: string;
  readonly ask: (service: MembershipService) => Promise<unknown>;
}

function question(kind: Kind, choice: Choice): Question {
  const [group, user] = [groupAt(choice(SIZE.groups)), userAt(choice(SIZE.users))];
  if (kind === 'member') {
    const path = `groups/${group}/members/${user}`;
    return { parameters: [group, user], path, ask: (service) => service.standing(group, user) };
  }
  if (kind === 'groups') {
    return { parameters: [user], path: `users/${user}/groups`, ask: (service) => service.groupsOf(user) };
  }
  return { parameters: [group], path: `groups/${group}/local-members`, ask: (service) => service.localMembers(group) };
}

test('the hot path: 10,000 groups, 1,000,000 memberships', { timeout: 3_000_000 }, async () => {
  await using world = await World.of('a.test');
  const server = world.server('a.test');
  const { databaseUrl, apiKey } = server.get<Config>(Config);
  await fill(server, SIZE);
  const source = server.get<DataSource>(DataSource);
  const asked = await statementsOf(source, async () => {
    for (const kind of QUESTIONS) {
      for (const number of [3, 4]) await question(kind, () => number).ask(server.get(MembershipService));
    }
    await question('member', () => 3).ask(server.get(MembershipService));
    await question('member', () => 3).ask(server.get(MembershipService));
  });
  for (const kind of QUESTIONS) {
    say(`${kind}, bare: ${await plan(source, BARE[kind], question(kind, () => 3).parameters)}`);
  }
  for (const [sql, parameters] of new Map(asked)) {
    say(`${sql.replaceAll(/\s+/g, ' ').slice(0, 60)}: ${await plan(source, sql, parameters)}`);
  }

  const pool = new pg.Pool({ connectionString: databaseUrl!, max: CONCURRENCY });
  const agent = new Agent({ connections: CONCURRENCY });
  const headers = { host: 'a.test', authorization: `Bearer ${apiKey}` };
  const rows = [];
  try {
    for (const membershipsKept of [200_000, 0]) {
      for (const [name, choice] of Object.entries(CHOICES)) {
        if (membershipsKept === 0 && name === 'uniform') continue;
        const app = await replicaOf(server, membershipsKept);
        const service = app.get(MembershipService, { strict: false });
        const http = app.get(HttpAdapterHost).httpAdapter.getInstance<FastifyInstance>();
        const origin = await http.listen({ host: '127.0.0.1', port: 0 });
        for (const kind of QUESTIONS) {
          const common = {
            bare: 'bare query',
            operations: OPERATIONS,
            concurrency: CONCURRENCY,
            rounds: ROUNDS,
            doBare: () => pool.query(BARE[kind], question(kind, choice).parameters),
          };
          const what = `${kind}, ${name}, ${membershipsKept} kept`;
          // As many as a busy share module asks in a minute.
          for (let asked = 0; asked < 4_000; asked += 200) {
            await Promise.all(Array.from({ length: 200 }, () => question(kind, choice).ask(service)));
          }
          const before = await counts(app);
          const inside = await compare({
            ...common,
            what,
            ours: 'service',
            doOurs: () => question(kind, choice).ask(service),
          });
          const outside = await compare({
            ...common,
            what,
            ours: 'HTTP',
            doOurs: async () => {
              const answer = await request(`${origin}/api/v1/${question(kind, choice).path}`, {
                headers,
                dispatcher: agent,
              });
              if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
              await answer.body.dump();
            },
          });
          const after = await counts(app);
          const cpu = {
            bare: await cpuOf(common.doBare),
            service: await cpuOf(() => question(kind, choice).ask(service)),
          };
          rows.push({
            question: kind,
            choice: name,
            kept: membershipsKept,
            // "Is X in G" is kept by nobody.
            'hits %': Math.round((100 * (after.hits - before.hits)) / Math.max(1, after.all - before.all)),
            'bare/s': Math.round(1000 / inside.bareMs),
            'service/s': Math.round(1000 / inside.oursMs),
            'HTTP/s': Math.round(1000 / outside.oursMs),
            'service : bare': (inside.bareMs / inside.oursMs).toFixed(2),
            'µs of this process, bare': cpu.bare,
            service: cpu.service,
            'HTTP : bare': (outside.bareMs / outside.oursMs).toFixed(2),
          });
          say(table([inside, outside]));
        }
        await app.close();
      }
    }
  } finally {
    await agent.close();
    await pool.end();
  }
  console.table(rows);
});

test('after a Commit no replica gives the old answer', { timeout: 600_000 }, async () => {
  await using world = await World.of('a.test');
  const server = world.server('a.test');
  await fill(server, { ...SIZE, groups: 100 });
  const there = await replicaOf(server, 200_000);
  const service = there.get(MembershipService, { strict: false });
  const source = server.get<DataSource>(DataSource);
  const first: number[] = [];
  let [stale, answers, isOver] = [0, 0, false];
  /** The last epoch whose transaction has ended, by group. */
  const known = new Map<string, number>();
  const asker = async () => {
    while (!isOver) {
      const group = groupAt(Math.floor(chance() * 10));
      const least = known.get(group) ?? 5;
      const { epoch } = await service.localMembers(group);
      answers++;
      if (epoch < least) stale++;
    }
  };
  const askers = Array.from({ length: 16 }, asker);
  for (let commit = 0; commit < COMMITS; commit++) {
    const index = commit % 10;
    const epoch = 6 + Math.floor(commit / 10);
    await source.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM federated_group WHERE mls_group_id = $1 FOR UPDATE', [`id-${index}`]);
      await tx.query('DELETE FROM group_member WHERE mls_group_id = $1 AND leaf_index = $2', [`id-${index}`, epoch]);
      await tx.query('UPDATE federated_group SET epoch = $2 WHERE mls_group_id = $1', [`id-${index}`, epoch]);
    });
    known.set(groupAt(index), epoch);
    const begun = performance.now();
    const seen = (await service.localMembers(groupAt(index))).epoch;
    first.push(performance.now() - begun);
    if (seen < epoch) stale++;
  }
  isOver = true;
  await Promise.all(askers);
  first.sort((a, b) => a - b);
  say(`${COMMITS} Commits, ${answers + COMMITS} answers of the other replica meanwhile: ${stale} of them stale`);
  say(
    `the first answer after a Commit came, and was new, after ${median(first).toFixed(2)} ms (median), ` +
      `${first.at(-1)!.toFixed(2)} ms (longest)`,
  );
  await there.close();
});
