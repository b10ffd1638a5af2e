import { Agent, request } from 'undici';
import type { RequestHead } from '../../src/ocm/message-signature.js';
import { signRequest } from '../../src/ocm/message-signing.js';
import { ServerKeysService } from '../../src/ocm/server-keys.service.js';
import { LetterRepository } from '../../src/outbox/letter.repository.js';
import type { Person } from '../support/cast.js';
import { TestClock } from '../support/clock.js';
import { World } from '../support/world.js';
import type { Replica } from './replica.js';

const PATH = '/ocm/notifications';
const MOST_TRIES = 20;

/** The Commits of one group that another server waits for, in their order. */
export type Lane = readonly Uint8Array[];

interface LetterToB {
  readonly id: string;
  readonly lane: string;
  readonly body: Buffer;
}

/** What the owner server logged of a group, and what the other one did, is the same. */
export interface Agreement {
  readonly commits: number;
  readonly lost: number;
  readonly apart: number;
}

/** a.test makes Commits for many groups and sends nothing; b.test is there for others to stand in for it. */
export class Commits implements AsyncDisposable {
  private handled = 0;

  private constructor(
    readonly world: World,
    private readonly alice: Person,
    private readonly carol: Person,
    private readonly groups: readonly string[],
  ) {}

  static async of(count: number): Promise<Commits> {
    // Real processes take over, and they have the real time.
    const clock = new TestClock(new Date());
    const world = await World.with({ 'a.test': {}, 'b.test': {} }, { clockOf: () => clock });
    const [alice, carol, bob] = await world.users('alice@a.test', 'carol@a.test', 'bob@b.test');
    const groups: string[] = [];
    for (let made = 0; made < count; made++) groups.push(await alice.createGroup(`lab${made}`));
    for (const group of groups) for (const who of [carol, bob]) await alice.add(group, who);
    await world.settle();
    for (const group of groups) await bob.sees(group);
    world.wire('a.test', 'b.test').cut();
    return new Commits(world, alice, carol, groups);
  }

  /** So many more Commits for each group. */
  async make(each: number): Promise<Lane[]> {
    const a = this.world.server('a.test');
    for (let made = 0; made < each; made++) {
      for (const group of this.groups) {
        const { admins } = await this.alice.sees(group);
        if (admins.includes(this.carol.address)) await this.alice.dismiss(group, this.carol);
        else await this.alice.appoint(group, this.carol);
      }
      await a.drain();
    }
    const letters = await a.query<LetterToB>(
      `SELECT id, lane, body FROM outbox_letter WHERE peer = 'b.test' AND kind = 'MLS_COMMIT' AND state = 'waiting'
       ORDER BY lane, number`,
    );
    const lanes = new Map<string, Uint8Array[]>();
    for (const { id, lane, body } of letters) {
      const opened = a.get(LetterRepository).open({ id, sealed: body } as never);
      lanes.set(lane, [...(lanes.get(lane) ?? []), opened]);
    }
    // What a later call makes comes behind these.
    await a.query(`UPDATE outbox_letter SET state = 'delivered' WHERE peer = 'b.test' AND state = 'waiting'`);
    return [...lanes.values()];
  }

  /** Compares the logs of both servers. */
  async compared(): Promise<Agreement> {
    const log = `SELECT mls_group_id || ' ' || epoch AS at, digest FROM commit_log ORDER BY 1`;
    const [ours, theirs] = await Promise.all(
      ['a.test', 'b.test'].map((name) => this.world.server(name).query<{ at: string; digest: unknown }>(log)),
    );
    const known = new Map(theirs!.map(({ at, digest }) => [at, String(digest)]));
    // Before b.test joined there was one for each group.
    const since = ours!.filter(({ at }) => known.has(at) || !at.endsWith(' 0'));
    return {
      commits: theirs!.length,
      lost: since.filter(({ at }) => !known.has(at)).length,
      apart: since.filter(({ at, digest }) => known.has(at) && known.get(at) !== String(digest)).length,
    };
  }

  /**
   * Delivers lanes side by side, each in its order, to the replicas in turn; what gets no answer, or a 5xx, is signed anew
   * and goes to the next one. Signed in advance, but for that. Returns how many were answered with 201 in how many
   * milliseconds, and how many tries were in vain. `midway` is called once, in the middle.
   */
  async deliver(lanes: readonly Lane[], replicas: readonly Replica[], concurrency: number, midway?: () => void) {
    const key = this.world.server('a.test').get(ServerKeysService).http;
    // A signature that was seen once is refused, and two of one second are the same: each try has a second of its own.
    const signed = (body: Uint8Array, tries = 0) => {
      const head: RequestHead = { method: 'POST', targetUri: `https://b.test${PATH}`, fields: {} };
      const when = new Date(Date.now() + tries * 1000);
      const { 'content-length': _, ...fields } = signRequest(head, body, key, when);
      return { headers: { ...fields, host: 'b.test', 'content-type': 'application/json' }, body: Buffer.from(body) };
    };
    const prepared = lanes.map((lane) => lane.map((body) => ({ body, first: signed(body) })));
    const total = prepared.flat().length;
    const agent = new Agent({ connections: concurrency });
    const queue = [...prepared];
    let [done, inVain, turn] = [0, 0, 0];
    const post = async (body: Uint8Array, message: ReturnType<typeof signed>, tries = 1): Promise<void> => {
      const alive = replicas.filter(({ isAlive }) => isAlive);
      const { origin } = alive[turn++ % alive.length]!;
      const answer = await request(origin + PATH, { method: 'POST', dispatcher: agent, ...message }).catch(
        () => undefined,
      );
      const text = await answer?.body.text().catch(() => undefined);
      if (answer?.statusCode === 201) return;
      if ((answer && answer.statusCode < 500) || tries >= MOST_TRIES) throw new Error(`${answer?.statusCode} ${text}`);
      inVain += 1;
      return post(body, signed(body, tries), tries + 1);
    };
    const courier = async () => {
      for (let lane = queue.shift(); lane; lane = queue.shift()) {
        for (const { body, first } of lane) {
          await post(body, first);
          if (++done === Math.floor(total / 2)) midway?.();
        }
      }
    };
    const begun = performance.now();
    await Promise.all(Array.from({ length: concurrency }, courier));
    const ms = performance.now() - begun;
    await agent.close();
    this.handled += done;
    return { done, ms, inVain };
  }

  /** How many were answered with 201. */
  get acknowledged(): number {
    return this.handled;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }
}
