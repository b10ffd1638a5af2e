import { expect, test } from 'vitest';
import type { Moved, Outlook } from '../../src/groups/group-version.repository.js';
import { MembershipCache, ofGroup, ofUser } from '../../src/membership/membership-cache.service.js';
import type { Config } from '../../src/platform/config.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import type { TransactionService } from '../../src/platform/transaction.service.js';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A database that answers when the test says so. */
class Stage {
  readonly metrics = new Metrics();
  readonly cache: MembershipCache;
  readonly looks: { answer(moved?: Partial<Moved>): void; fail(): void; readonly since: Outlook | undefined }[] = [];
  readonly asked: { answer(value: string | undefined): void; fail(): void }[] = [];
  private readonly db = { statement: (work: (tx: never) => unknown) => work(undefined as never) };

  constructor(membershipsKept = 100) {
    const versions = {
      movedSince: (_: unknown, since: Outlook | undefined) =>
        new Promise<Moved>((resolve, reject) => {
          const number = this.looks.length;
          const plain: Moved = { outlook: `${number}` as Outlook, incarnation: 'one', groups: [], members: [] };
          this.looks.push({
            since,
            answer: (moved = {}) => resolve({ ...plain, ...moved }),
            fail: () => reject(new Error('the database is gone')),
          });
        }),
    };
    this.cache = new MembershipCache(
      { membershipsKept } as Config,
      this.db as unknown as TransactionService,
      versions,
      this.metrics,
    );
  }

  ask(key: string, tags = [ofGroup('g')]): Promise<string | undefined> {
    return this.cache.answer<string>({
      kind: 'member',
      key,
      ask: () =>
        new Promise((resolve, reject) => {
          this.asked.push({ answer: resolve, fail: () => reject(new Error('the question failed')) });
        }),
      weight: () => 1,
      tags: () => tags,
    });
  }

  /** Asks, answers the look if there is one, and the question. */
  async keep(key: string, value: string, tags?: string[]): Promise<void> {
    const answer = this.ask(key, tags);
    await settled();
    this.looks.at(-1)?.answer();
    await settled();
    this.asked.at(-1)!.answer(value);
    expect(await answer).toBe(value);
  }

  counted = async (outcome: string): Promise<number> =>
    Number(new RegExp(`outcome="${outcome}"} (\\d+)`).exec(await this.metrics.text())?.[1] ?? 0);
}

test('what is kept is given after a look that began when the question had come, and only then', async () => {
  const stage = new Stage();
  await stage.keep('q', 'old');
  const first = stage.ask('q');
  await settled();
  // Two rounds at most are under way; who comes later waits for one that begins later.
  const others = [stage.ask('q'), stage.ask('q')];
  let isAnswered = false;
  void others[1]!.then(() => (isAnswered = true));
  stage.looks[1]!.answer();
  expect(await first).toBe('old');
  await settled();
  expect(isAnswered).toBe(false);
  expect(stage.looks.map(({ since }) => since)).toEqual([undefined, '0', '0', '1']);
  stage.looks[2]!.answer();
  stage.looks[3]!.answer();
  expect(await Promise.all(others)).toEqual(['old', 'old']);
  expect(await stage.counted('hit')).toBe(3);
  expect(await stage.counted('miss')).toBe(1);
  expect(await stage.metrics.text()).toContain('covey_memberships_kept 1\n');
});

test.each([
  ['its group moved', { groups: ['g'] }],
  ['its user is in a group that moved', { groups: ['other'], members: ['u'] }],
  ['the tables were filled anew', { incarnation: 'two' }],
  ['very many groups moved', { groups: Array.from({ length: 101 }, (_, n) => `other-${n}`) }],
])('nothing is given from memory when %s', async (_, moved) => {
  const stage = new Stage();
  await stage.keep('q', 'old', [ofGroup('g'), ofUser('u')]);
  await stage.keep('unlike', 'kept', []);
  const answer = stage.ask('q', [ofGroup('g'), ofUser('u')]);
  await settled();
  stage.looks.at(-1)!.answer(moved as Partial<Moved>);
  await settled();
  expect(stage.asked).toHaveLength(3);
  stage.asked[2]!.answer('new');
  expect(await answer).toBe('new');
});

test('what was read before a change was seen is not kept', async () => {
  const stage = new Stage();
  await stage.keep('p', 'kept', [ofGroup('h')]);
  const early = stage.ask('q');
  const other = stage.ask('p', [ofGroup('h')]);
  await settled();
  stage.looks.at(-1)!.answer({ groups: ['g'] as never });
  expect(await other).toBe('kept');
  stage.asked[1]!.answer('perhaps old');
  expect(await early).toBe('perhaps old');
  const late = stage.ask('q');
  await settled();
  expect(stage.asked).toHaveLength(3);
  stage.asked[2]!.answer('new');
  expect(await late).toBe('new');
});

test('many who ask for what was just dropped ask the database once', async () => {
  const stage = new Stage();
  await stage.keep('q', 'old');
  const answers = [stage.ask('q'), stage.ask('q')];
  await settled();
  for (const look of stage.looks.slice(1)) look.answer({ groups: ['g'] as never });
  await settled();
  const asked = stage.asked.slice(1);
  for (const question of asked) question.answer('new');
  expect(await Promise.all(answers)).toEqual(['new', 'new']);
  expect(asked.length).toBeLessThanOrEqual(2);
});

test('without the database there is no answer, and afterwards there is one', async () => {
  const stage = new Stage();
  await stage.keep('q', 'old');
  const lost = stage.ask('q');
  await settled();
  stage.looks.at(-1)!.fail();
  await expect(lost).rejects.toThrow('the database is gone');
  const unanswered = stage.ask('r');
  await settled();
  stage.asked.at(-1)!.fail();
  await expect(unanswered).rejects.toThrow('the question failed');
  const found = stage.ask('q');
  await settled();
  stage.looks.at(-1)!.answer();
  expect(await found).toBe('old');
});

test('with a size of 0 nothing is kept and nobody looks', async () => {
  const stage = new Stage(0);
  await stage.keep('q', 'one');
  await stage.keep('q', 'two');
  expect(stage.looks).toHaveLength(0);
  expect(await stage.counted('miss')).toBe(2);
});
