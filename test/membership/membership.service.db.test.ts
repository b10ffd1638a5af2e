import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { DepartureRepository, DepartureRow } from '../../src/groups/departure.repository.js';
import type { Group } from '../../src/groups/group.js';
import { GroupRepository, GroupRow } from '../../src/groups/group.repository.js';
import { GroupVersionRow } from '../../src/groups/group-version.repository.js';
import { MemberRepository, MemberRow, type RosterCopy } from '../../src/groups/member.repository.js';
import type { OcmAddress } from '../../src/kernel/address.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import { TransactionService, type Tx } from '../../src/platform/transaction.service.js';
import { NO_FEED } from '../support/no-feed.js';
import { type Lease, leaseDatabase } from '../support/database.js';
import { type Answers, MembershipReplica, membershipTruth, withoutTag } from '../support/membership-questions.js';

const ROWS = [GroupRow, GroupVersionRow, MemberRow, DepartureRow];
const TABLES = ['federated_group', 'group_version', 'group_member'];
const GROUPS = ['g0@a.test', 'g1@b.test'] as OcmAddress[];
const USERS = ['u0@a.test', 'u1@a.test', 'u2@b.test', 'u3@b.test', 'nobody@a.test'] as OcmAddress[];
/** More of them are worth while after a change of the cache. */
const DEEDS = Number(process.env['COVEY_DEEDS'] ?? 15);
/** Every instant of the story is the same one: nothing here tells by the time. */
const AT = new Date(0);

/** What happens to a group here. Each is one transaction of the repositories through which the service writes. */
const deed = fc.record({
  group: fc.nat(GROUPS.length - 1),
  members: fc.subarray(USERS.slice(0, 4)),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('commit' as const) },
    {
      weight: 8,
      arbitrary: fc.constantFrom(
        'leave' as const,
        'drift' as const,
        'rejoin' as const,
        'reinit' as const,
        'revert' as const,
        'roster' as const,
        'leaves' as const,
        'back up' as const,
        'restore' as const,
        'delete' as const,
        'roll back' as const,
      ),
    },
  ),
});
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

/** Nobody asks meanwhile. */
const isRestore = ({ kind }: Deed): boolean => kind === 'back up' || kind === 'restore';

class Story {
  readonly groups = new GroupRepository(NO_FEED);
  readonly members = new MemberRepository(new DepartureRepository());
  private readonly held = new Map<string, { epoch: Group['epoch']; roster: RosterCopy }>();
  private hasBackup = false;
  private made = 0;

  constructor(
    private readonly db: TransactionService,
    readonly source: DataSource,
  ) {}

  async do({ kind, group: index, members }: Deed): Promise<void> {
    const address = GROUPS[index]!;
    if (kind === 'back up') return this.backUp();
    if (kind === 'restore') return this.restore();
    const work = this.db.run(async (tx) => {
      const found = await this.groups.byAddress(tx, address);
      const locked = found && (await this.groups.lock(tx, found.mlsGroupId));
      if (!locked) return this.found(tx, address, members, 1);
      await this.change(tx, locked, kind, members);
      if (kind === 'roll back') throw new Error('rolled back');
    });
    await work.catch((error: unknown) => {
      if (!(error instanceof Error) || error.message !== 'rolled back') throw error;
    });
  }

  private async backUp(): Promise<void> {
    await this.source.query('DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup');
    for (const name of TABLES) await this.source.query(`CREATE TABLE backup.${name} AS TABLE public.${name}`);
    this.hasBackup = true;
  }

  /** As a dump is read: the tables are filled anew, and their triggers rest. */
  private async restore(): Promise<void> {
    if (!this.hasBackup) return;
    await this.db.run(async (tx) => {
      await tx.query('SET LOCAL session_replication_role = replica');
      await tx.query(`TRUNCATE ${TABLES.join(', ')} CASCADE`);
      for (const name of TABLES) await tx.query(`INSERT INTO public.${name} SELECT * FROM backup.${name}`);
    });
  }

  private async found(tx: Tx, address: OcmAddress, members: readonly OcmAddress[], instance: number): Promise<void> {
    const mlsGroupId = `id-${++this.made}` as MlsGroupId;
    const facts = { epoch: epoch(0), state: 'active', instance, history: 0, admins: [members[0] ?? address] } as const;
    await this.groups.add(tx, { mlsGroupId, address, ...facts }, AT);
    await this.members.replace(tx, mlsGroupId, leaves(members), AT);
  }

  private async change(
    tx: Tx,
    group: Awaited<ReturnType<GroupRepository['lock']>> & object,
    kind: Deed['kind'],
    members: readonly OcmAddress[],
  ): Promise<void> {
    const { mlsGroupId, address } = group;
    const admins = members.length > 0 ? members.slice(0, 1) : group.admins;
    switch (kind) {
      case 'commit':
      case 'roll back':
        if (members.length % 2 === 0) {
          this.held.set(mlsGroupId, { epoch: group.epoch, roster: await this.members.copy(tx, mlsGroupId) });
        }
        await this.members.replace(tx, mlsGroupId, leaves(members), AT);
        await this.groups.save(tx, group, { ...group, state: 'active', admins, epoch: epoch(group.epoch + 1) }, AT);
        return;
      case 'leave':
        await this.members.replace(tx, mlsGroupId, [], AT);
        await this.groups.save(tx, group, { ...group, state: 'left' }, AT);
        return;
      case 'drift':
        await this.groups.save(tx, group, { ...group, state: 'drifted' }, AT);
        return;
      case 'rejoin':
        await this.members.replace(tx, mlsGroupId, leaves(members), AT);
        await this.groups.save(tx, group, { ...group, state: 'active', admins }, AT);
        return;
      case 'reinit':
        await this.groups.save(tx, group, { ...group, state: 'superseded' }, AT);
        await this.members.replace(tx, mlsGroupId, [], AT);
        return this.found(tx, address, members, group.instance + 1);
      case 'revert': {
        const before = this.held.get(mlsGroupId);
        if (!before) return;
        await this.members.restore(tx, mlsGroupId, before.roster);
        await this.groups.save(tx, group, { ...group, epoch: before.epoch, history: group.history + 1 }, AT);
        return;
      }
      case 'roster':
        await this.members.replace(tx, mlsGroupId, leaves(members), AT);
        return;
      case 'leaves':
        await this.members.replace(tx, mlsGroupId, leaves(members, 7), AT);
        return;
      case 'delete':
        await tx.query('DELETE FROM federated_group WHERE mls_group_id = $1', [mlsGroupId]);
        return;
      case 'back up':
      case 'restore':
        return;
      default:
        return kind satisfies never;
    }
  }
}

const leaves = (members: readonly OcmAddress[], from = 0) =>
  members.map((address, index) => ({ address, leafIndex: from + index }));

/** A replica in another process has connections of its own; the embedded database has one. */
async function services(database: Lease): Promise<[TransactionService, TransactionService, DataSource]> {
  const source = await database.open(ROWS);
  const db = new TransactionService(source);
  return [db, database.kind === 'postgres' ? await database.transactions(ROWS) : db, source];
}

test('whatever happens to groups, two replicas answer as the bare query does, and no tag is of two answers', async () => {
  await using database = await leaseDatabase();
  const [here, there, source] = await services(database);
  const replicas = [new MembershipReplica(here, 'a.test', 1000), new MembershipReplica(there, 'a.test', 12)] as const;
  const cast = { groups: GROUPS, users: USERS };
  const truth = () => membershipTruth((sql) => source.query(sql), 'a.test', cast);
  const story = new Story(here, source);
  const tags = new Map<string, string>();
  let answers = 0;

  const compare = async (truths: readonly Answers[]) => {
    for (const one of replicas) await check(await one.everything(cast), truths);
  };
  const check = async (said: Answers, truths: readonly Answers[]) => {
    for (const [question, answer] of said) {
      answers++;
      const may = truths.map((one) => one.get(question));
      expect(may, question).toContain(withoutTag(answer));
      if (!answer.startsWith('[')) continue;
      const [value, tag] = JSON.parse(answer) as [object, string];
      const known = tags.get(`${question} ${tag}`) ?? JSON.stringify(value);
      expect(JSON.stringify(value), `${question} with a tag seen before`).toBe(known);
      tags.set(`${question} ${tag}`, known);
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: DEEDS, maxLength: DEEDS }), async (deeds) => {
      let before = await truth();
      for (const one of deeds) {
        // Asked while it happens, the answer may be that of before; asked afterwards, never.
        const meanwhile =
          database.kind === 'postgres' && !isRestore(one) ? replicas.map((replica) => replica.everything(cast)) : [];
        await story.do(one);
        const after = await truth();
        for (const said of await Promise.all(meanwhile)) await check(said, [before, after]);
        await compare([after]);
        before = after;
      }
    }),
    { numRuns: 1, endOnFailure: true },
  );
  const hits = await replicas[0].hits();
  expect(hits, `of ${answers} answers`).toBeGreaterThan(answers / 20);
});
