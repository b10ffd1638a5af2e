import { DataSource } from 'typeorm';
import type { InjectionToken } from '@nestjs/common';
import type { FeedEvent } from '../../src/feed/event.js';
import { FEED_ROWS, FeedModule } from '../../src/feed/feed.module.js';
import { FeedRecorder } from '../../src/feed/recorder.service.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { Poller } from '../../src/platform/poller.service.js';
import { TransactionService } from '../../src/platform/transaction.service.js';
import { StubNetwork } from '../ocm/stub-network.js';
import { platformApp } from '../platform/app.js';
import type { Lease } from '../support/database.js';

export const HOOK = 'https://efss.test/hook';

/** Somebody joined, and nothing else. */
export const joined = (member: string, group = 'lab@a.test', epoch = 1): FeedEvent => ({
  type: 'members.added',
  data: { group, mlsGroupId: 'Zm9v', epoch, members: [member] },
});

/** The platform and the feed alone. Its workers take turns when asked to. */
export async function feedHouse(lease: Lease, env: Readonly<Record<string, string>> = {}) {
  const [network, lines] = [new StubNetwork(), [] as string[]];
  const house = await platformApp(lease, { env, modules: [FeedModule], rows: FEED_ROWS, network, lines });
  const get = <T>(token: InjectionToken<T>): T => house.app.get<T>(token, { strict: false });
  const turn = async (...names: readonly string[]): Promise<void> => {
    for (const one of get(Poller).turns.filter(({ name }) => names.includes(name))) while (await one.turn());
  };
  return {
    ...house,
    network,
    lines,
    get,
    turn,
    record: (...events: readonly FeedEvent[]) =>
      get(TransactionService).run((tx) => get(FeedRecorder).record(tx, ...events)),
    query: <T extends object>(sql: string, parameters: unknown[] = []) => get(DataSource).query<T[]>(sql, parameters),
    /** Whom the events that were posted speak of, in the order in which they arrived. */
    posted: () =>
      network.asked.map(({ headers, body }) => {
        const { data } = JSON.parse(fromUtf8(body!)) as { data: { members?: string[] } };
        return { id: headers['webhook-id']!, member: data.members?.[0] };
      }),
  };
}

/** Many events, faster than they can happen. */
export const manyEvents = (count: number, bytes = 0): [string, unknown[]] => [
  `INSERT INTO feed_event (type, group_address, data, recorded_at)
   SELECT CASE WHEN n % 100 = 0 THEN 'share.offered' ELSE 'members.added' END, 'g' || n % 10 || '@a.test',
     jsonb_build_object('n', n, 'filling', repeat('x', $2)), '2027-01-04T09:00:00Z'
   FROM generate_series(1, $1::integer) AS n`,
  [count, bytes],
];
