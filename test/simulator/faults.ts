import { DataSource, type QueryRunner } from 'typeorm';
import { DepartureRepository } from '../../src/groups/departure.repository.js';
import { ReplayWorker } from '../../src/inbox/replay.worker.js';
import type { CommitDigest } from '../../src/kernel/ids.js';
import { COMMIT_CHECKS, type CommitCheck } from '../../src/mls/commit-policy.js';
import { EarlierGroupKeyRepository } from '../../src/mls/earlier-group-key.repository.js';
import { MlsService } from '../../src/mls/mls.service.js';
import type { PendingCommit } from '../../src/mls/pending-commit.repository.js';
import { KeySendingService } from '../../src/shares/key-sending.service.js';
import { WrappedKeyRepository, WrappedKeyRow } from '../../src/shares/wrapped-key.repository.js';
import type { TestServer } from '../support/server.js';

/** Something that Covey cannot do without, taken away from every server of a world. */
export interface PlantedFault {
  begin?(): void;
  end?(): void;
  /** Right after a boot. */
  plant?(server: TestServer): void;
}

/** The locks on a group's rows are asked for and not taken. */
const noRowLock: PlantedFault = {
  plant(server) {
    const source = server.get(DataSource);
    const create = source.createQueryRunner.bind(source);
    source.createQueryRunner = (...args) => {
      const runner = create(...args);
      const query = runner.query.bind(runner) as (sql: string, ...rest: unknown[]) => Promise<unknown>;
      const unlocked = (sql: string, ...rest: unknown[]) =>
        query(/FROM "?(federated_group|mls_group)\b/.test(sql) ? sql.replace(/ FOR UPDATE\b.*$/s, '') : sql, ...rest);
      runner.query = unlocked as QueryRunner['query'];
      return runner;
    };
  },
};

let checks: CommitCheck[] = [];

/** Whatever MLS allows is accepted. */
const noPolicy: PlantedFault = {
  begin: () => void (checks = (COMMIT_CHECKS as CommitCheck[]).splice(0)),
  end: () => void (COMMIT_CHECKS as CommitCheck[]).push(...checks.splice(0)),
};

/** What came too early is kept for ever. */
const noEarlyReplay: PlantedFault = {
  plant: (server) => void (server.get(ReplayWorker).turn = () => Promise.resolve(false)),
};

/** A Commit of ours becomes the state as soon as it is made. */
const noPendingCommit: PlantedFault = {
  plant(server) {
    const mls = server.get(MlsService);
    const made = new Map<CommitDigest, PendingCommit>();
    const build = mls.buildCommit.bind(mls);
    const accept = mls.acceptPending.bind(mls);
    mls.buildCommit = async (tx, wish) => {
      const commit = await build(tx, wish);
      made.set(commit.digest, commit);
      return accept(tx, wish.mlsGroupId, commit.digest);
    };
    mls.acceptPending = async (tx, group, digest) => made.get(digest) ?? accept(tx, group, digest);
  },
};

/** File keys go out anew when somebody was added, and after no other Commit. */
const noRewrap: PlantedFault = {
  plant(server) {
    const keys = server.get(KeySendingService);
    const resend = keys.resend.bind(keys);
    keys.resend = async (tx, group) => {
      const [last] = await tx.query<{ added: string[] }[]>(
        'SELECT added FROM commit_log WHERE mls_group_id = $1 ORDER BY epoch DESC LIMIT 1',
        [group.mlsGroupId],
      );
      return last?.added.length === 0 ? 0 : resend(tx, group);
    };
  },
};

/** The Group Key of an epoch goes with it. */
const noEarlierKey: PlantedFault = {
  plant: (server) => void (server.get(EarlierGroupKeyRepository).keep = () => Promise.resolve()),
};

/** A file key takes the place of another one because it came later. */
const byArrival: PlantedFault = {
  plant(server) {
    const keys = server.get(WrappedKeyRepository);
    const put = keys.put.bind(keys);
    keys.put = async (tx, place, taken, at) => {
      for (const { resourceId } of taken) {
        await tx.delete(WrappedKeyRow, { sender: place.sender, group: place.group, resourceId });
      }
      return put(tx, place, taken, at);
    };
  },
};

/** Nobody takes note of who left. */
const noNewKeys: PlantedFault = {
  plant: (server) => void (server.get(DepartureRepository).take = () => Promise.resolve([])),
};

export const FAULTS = {
  'no-row-lock': noRowLock,
  'no-policy-check': noPolicy,
  'no-early-replay': noEarlyReplay,
  'no-pending-commit': noPendingCommit,
  'no-rewrap': noRewrap,
  'no-earlier-key': noEarlierKey,
  'by-arrival': byArrival,
  'no-new-keys': noNewKeys,
} as const satisfies Record<string, PlantedFault>;

export type FaultName = keyof typeof FAULTS;
