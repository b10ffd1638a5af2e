import { Injectable } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import type { Epoch, MlsGroupId } from '../kernel/ids.js';
import { PeerClient } from '../ocm/peer.client.js';
import { type MissedCommits, parseMissedCommits } from './missed-commits.js';

/** Asks a server that has an admin for Commits. */
@Injectable()
export class MissedCommitsClient {
  constructor(private readonly peers: PeerClient) {}

  /**
   * Those from `at` on, in an answer that the server has signed; undefined when it knows of no such thing (D-11). Not
   * within a transaction. Throws `peer.*`, `commits.refused`, `commits.answer-malformed`.
   */
  async since(server: Host, mlsGroupId: MlsGroupId, at: Epoch): Promise<MissedCommits | undefined> {
    const query = new URLSearchParams({ mlsGroupId, fromEpoch: String(at) });
    const { status, body } = await this.peers.getSigned(server, `/mls-commits?${query.toString()}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Fault('commits.refused', { server, status });
    return parseMissedCommits(body, mlsGroupId);
  }
}
