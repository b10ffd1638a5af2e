import { Injectable } from '@nestjs/common';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { FeedRecorder } from '../feed/recorder.service.js';
import { ClientsService } from '../mls/clients.service.js';
import { MlsService } from '../mls/mls.service.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Idempotency, type IdempotencyKey } from '../platform/idempotency.repository.js';
import { Log } from '../platform/logger.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { Trust } from '../trust/trust.service.js';
import { type Group, type GroupPicture, memberServers, ownerServer } from './group.js';
import { CommitLogRepository } from './commit-log.repository.js';
import { rosterEvents } from './group-events.js';
import { GroupRepository, type Locked } from './group.repository.js';
import { isStale } from './leaf-updates.js';
import { MemberRepository } from './member.repository.js';

@Injectable()
export class LifecycleService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly groups: GroupRepository,
    private readonly members: MemberRepository,
    private readonly commitLog: CommitLogRepository,
    private readonly clients: ClientsService,
    private readonly mls: MlsService,
    private readonly idempotency: Idempotency,
    private readonly audit: AuditLog,
    private readonly trust: Trust,
    private readonly feed: FeedRecorder,
    private readonly log: Log,
  ) {}

  /**
   * Founds a group with its creator as only member and first admin; nobody is told (OCM-MLS R-048). The address is
   * minted under this server's domain and stays for the life of the group. Throws `client.unknown`,
   * `client.inactive`, `change.not-local`, `group.address-taken`.
   */
  async create(address: OcmAddress, creator: OcmAddress, key?: IdempotencyKey): Promise<OcmAddress> {
    await this.db.run((tx) =>
      this.idempotency.once(tx, key, async () => ({ address: (await this.found(tx, address, creator)).address })),
    );
    return address;
  }

  /** The same in a transaction of the caller, who then holds the group. */
  async found(tx: Tx, address: OcmAddress, creator: OcmAddress): Promise<Locked<Group>> {
    if (hostOf(address) !== this.config.domain) throw new Fault('change.not-local', { group: address });
    if (hostOf(creator) !== this.config.domain) throw new Fault('change.not-local', { user: creator });
    const founder = await this.clients.find(tx, creator);
    if (!founder) throw new Fault('client.unknown', { user: creator });
    if (!founder.active) throw new Fault('client.inactive', { user: creator });
    // Groups and users live under one domain: an address names one of them.
    if ((await this.clients.find(tx, address)) || (await this.groups.byAddress(tx, address))) {
      throw new Fault('group.address-taken', { address });
    }
    const view = await this.mls.createGroup(tx, { address, creator });
    const { mlsGroupId, epoch, admins } = view;
    const now = this.clock.now();
    const group = await this.groups.add(
      tx,
      { mlsGroupId, address, epoch, admins, state: 'active', instance: 1, history: 0 },
      now,
    );
    await this.feed.record(tx, ...rosterEvents(view, await this.members.replace(tx, mlsGroupId, view.members, now)));
    await this.audit.record(tx, { act: 'group.founded', actor: creator, group: { mlsGroupId, address }, epoch });
    this.log.info({ event: 'group.created', group: mlsGroupId, address }, 'a group was created');
    return group;
  }

  /** Throws `group.not-found`. */
  async picture(address: OcmAddress): Promise<GroupPicture> {
    return this.db.run(async (tx) => {
      const group = await this.groups.byAddress(tx, address);
      if (!group) throw new Fault('group.not-found', { group: address });
      return this.pictureOf(tx, group);
    });
  }

  /** All groups that this server knows, by address. */
  async all(): Promise<Group[]> {
    return this.db.statement((tx) => this.groups.all(tx));
  }

  private async pictureOf(tx: Tx, group: Group): Promise<GroupPicture> {
    const lastCommit = await this.commitLog.latest(tx, group.mlsGroupId);
    const members = await this.members.of(tx, group.mlsGroupId);
    const [now, deadlineMs] = [this.clock.now(), this.config.updateDeadlineMs];
    return {
      group,
      owner: ownerServer(group),
      members,
      stale: members.filter((member) => isStale(member, now, deadlineMs)).map(({ address: stale }) => stale),
      refused: await this.refusedOf(
        tx,
        members.map((member) => member.address),
      ),
      ...(lastCommit ? { lastCommit } : {}),
    };
  }

  private async refusedOf(tx: Tx, members: readonly OcmAddress[]): Promise<Host[]> {
    const refused: Host[] = [];
    for (const server of memberServers(members)) {
      if ((await this.trust.standing(server, tx)).kind !== 'allowed') refused.push(server);
    }
    return refused;
  }
}
