import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ApiKeysService } from '../../src/platform/api-keys.service.js';
import { Poller } from '../../src/platform/poller.service.js';
import { platformApp } from './app.js';
import { Cluster } from './cluster.js';

test.runIf(Cluster.possible)(
  'when PostgreSQL goes away the answers are 503 that may be retried, and when it is back all goes on',
  async () => {
    await using cluster = await Cluster.start();
    const lines: string[] = [];
    await using covey = await platformApp({ url: cluster.url, poolSize: 3 }, { lines });
    expect((await covey.ask('GET', '/api/v1/api-keys')).status).toBe(200);
    await cluster.end();

    for (let round = 0; round < 3; round++) {
      const answer = await covey.ask('GET', '/api/v1/api-keys');
      expect([answer.status, answer.json['code'], answer.headers['retry-after']]).toEqual([
        503,
        'database.unavailable',
        '5',
      ]);
    }
    expect((await covey.ask('GET', '/readyz')).status).toBe(503);
    expect((await covey.ask('GET', '/healthz')).status).toBe(200);
    const [upkeep] = covey.app.get(Poller).turns;
    await expect(upkeep!.turn()).rejects.toMatchObject({ code: 'database.unavailable' });

    await cluster.begin();
    expect((await covey.ask('GET', '/api/v1/api-keys')).status).toBe(200);
    expect((await covey.ask('POST', '/api/v1/api-keys', { body: { name: 'after' } })).status).toBe(201);
    expect((await covey.ask('GET', '/readyz')).status).toBe(200);
  },
);

test('a PostgreSQL that is not there stops the start with a clear reason', async () => {
  const url = 'postgres://covey@localhost/covey?host=/nonexistent';
  await expect(platformApp({ url, poolSize: 3 })).rejects.toMatchObject({ code: 'database.unavailable' });
});

test.runIf(Cluster.possible)(
  'replicas that start at the same time on an empty PostgreSQL share schema, sealing key and first API key',
  async () => {
    await using cluster = await Cluster.start();
    const env = { COVEY_API_KEY: '' };
    const replicas = await Promise.all([1, 2, 3].map(() => platformApp({ url: cluster.url, poolSize: 3 }, { env })));
    const [keys] = await Promise.all(replicas.map(({ app }) => app.get(ApiKeysService).list()));
    expect(keys).toHaveLength(1);
    const files = replicas.filter(({ config }) => existsSync(join(config.dataFolder, 'api-key')));
    expect(files).toHaveLength(1);
    await Promise.all(replicas.map(({ app }) => app.close()));
  },
);
