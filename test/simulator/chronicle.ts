import { hash } from 'node:crypto';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { ClientStateRepository } from '../../src/mls/client-state.repository.js';
import { Vault } from '../../src/platform/vault.service.js';
import type { TestServer } from '../support/server.js';
import type { Audited, LoggedCommit, Observer } from './observer.js';

/** An epoch as one server had it when it was looked at. */
export interface Sight {
  readonly host: string;
  readonly mlsGroupId: string;
  readonly epoch: number;
  /** The Commit that led to it, where the server knows that; it was let in by a Welcome otherwise. */
  readonly ledBy: string | null;
  /** One hash of the tree hash, the transcript, the epoch authenticator and the Group Key. */
  readonly secrets: string;
}

/** How a group stood when it was looked at. */
export interface Roster {
  readonly epoch: number;
  readonly leaves: readonly (string | null)[];
  readonly admins: readonly string[];
}

/** Every epoch in which a server was seen, and what it wrote down there. */
export class Chronicle {
  private readonly seen = new Map<string, Sight>();
  private readonly first = new Map<string, Roster>();
  private readonly acts = new Map<string, Audited>();
  private readonly commits = new Map<string, LoggedCommit>();

  get sights(): readonly Sight[] {
    return [...this.seen.values()];
  }

  /** What is in an audit log, or was before a backup was restored. */
  get audited(): readonly Audited[] {
    return [...this.acts.values()];
  }

  /** Every Commit that was in a log, also where it was forgotten, or taken back. */
  get logged(): readonly LoggedCommit[] {
    return [...this.commits.values()];
  }

  /** The earliest epoch in which the group was seen; of competing successors the last one that began. */
  earliest = (mlsGroupId: string): Roster | undefined => this.first.get(mlsGroupId);

  /** Looks at every state of a server that is not seen yet, and at what it wrote down since. */
  async look(server: TestServer, observer: Observer): Promise<void> {
    const rows = await observer.rows<Omit<Sight, 'host' | 'secrets'>>(
      `SELECT g.mls_group_id AS "mlsGroupId", g.epoch::integer AS epoch, c.digest AS "ledBy" FROM mls_group g
       LEFT JOIN commit_log c ON c.mls_group_id = g.mls_group_id AND c.epoch = g.epoch - 1 ORDER BY 1`,
    );
    for (const row of rows) {
      const name = [server.host, row.mlsGroupId, row.epoch, row.ledBy].join(' ');
      if (this.seen.has(name)) continue;
      this.seen.set(name, { ...row, host: server.host, secrets: await secretsOf(row.mlsGroupId, server, observer) });
    }
    for (const { mlsGroupId, epoch, leaves, admins, state } of await observer.groups()) {
      const before = this.first.get(mlsGroupId);
      if (state !== 'active' || (before && before.epoch < epoch)) continue;
      this.first.set(mlsGroupId, { epoch, leaves, admins });
    }
    for (const commit of await observer.log()) this.commits.set(`${commit.mlsGroupId} ${commit.digest}`, commit);
    for (const act of await observer.audited()) this.acts.set(JSON.stringify(act), act);
  }
}

async function secretsOf(group: string, server: TestServer, observer: Observer): Promise<string> {
  const states = new ClientStateRepository(server.get(Vault));
  const { common, groupKey } = (await observer.transaction((tx) => states.lock(tx, group as MlsGroupId)))!;
  const { groupContext, keySchedule } = common;
  const parts = [groupContext.treeHash, groupContext.confirmedTranscriptHash, keySchedule.epochAuthenticator, groupKey];
  return hash('sha256', Buffer.concat(parts)).slice(0, 16);
}
