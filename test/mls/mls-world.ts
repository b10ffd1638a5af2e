import type { TransactionService } from '../../src/platform/transaction.service.js';
import { host, type Host, ocmAddress, type OcmAddress } from '../../src/kernel/address.js';
import type { Dice } from '../../src/kernel/dice.js';
import { ClientRepository } from '../../src/mls/client.repository.js';
import { ClientsService } from '../../src/mls/clients.service.js';
import { JoinedWelcomeRepository } from '../../src/mls/joined-welcome.repository.js';
import { RateLimitRow, RateLimits } from '../../src/platform/rate-limits.repository.js';
import { KeyPackageRepository } from '../../src/mls/key-package.repository.js';
import { JoiningService } from '../../src/mls/joining.service.js';
import { ApplicationsService } from '../../src/mls/applications.service.js';
import { ClientStateRepository } from '../../src/mls/client-state.repository.js';
import { EarlierGroupKeyRepository } from '../../src/mls/earlier-group-key.repository.js';
import { LeafRepository } from '../../src/mls/leaf.repository.js';
import { LocalGroupsService } from '../../src/mls/local-groups.service.js';
import { MlsService } from '../../src/mls/mls.service.js';
import { PendingCommitRepository } from '../../src/mls/pending-commit.repository.js';
import { KeyPackagesService } from '../../src/mls/key-packages.service.js';
import { StateLossService } from '../../src/mls/state-loss.service.js';
import type { CommitFacts, GroupView } from '../../src/mls/group-view.js';
import type { Joined, Joining } from '../../src/mls/joining.service.js';
import type { CommitWish } from '../../src/mls/mls.service.js';
import type { PendingCommit } from '../../src/mls/pending-commit.repository.js';
import type { MlsGroupId } from '../../src/kernel/ids.js';
import { type Suite, suiteFrom } from '../../src/mls/suite.js';
import { Config } from '../../src/platform/config.js';
import { Log } from '../../src/platform/logger.service.js';
import type { HighWater } from '../../src/platform/high-water.provider.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { Poller } from '../../src/platform/poller.service.js';
import { Vault } from '../../src/platform/vault.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { TestDice } from '../support/dice.js';
import { MLS_ROWS } from '../../src/mls/mls.module.js';

export const DAY = 86_400_000;

/** One server's MLS side on a database of its own. */
export class MlsServer implements AsyncDisposable {
  readonly metrics = new Metrics();
  readonly poller = new Poller(new Log('silent'), this.metrics);
  readonly vault: Vault;
  readonly clientRows: ClientRepository;
  readonly keyPackageRows: KeyPackageRepository;
  readonly welcomes = new JoinedWelcomeRepository();
  readonly keyPackages: KeyPackagesService;
  readonly clients: ClientsService;
  readonly states: ClientStateRepository;
  readonly groups: LocalGroupsService;
  readonly earlierKeys: EarlierGroupKeyRepository;
  readonly applications: ApplicationsService;
  readonly stateLoss: StateLossService;
  readonly mls: MlsService;

  private constructor(
    readonly domain: Host,
    readonly clock: TestClock,
    readonly db: TransactionService,
    readonly suite: Suite,
    readonly lease: Lease,
    dice: Dice,
  ) {
    const config = new Config({ domain } as ConstructorParameters<typeof Config>[0]);
    this.vault = new Vault({ keys: [new Uint8Array(32).fill(1)] }, dice);
    this.clientRows = new ClientRepository(this.vault);
    this.keyPackageRows = new KeyPackageRepository(this.vault);
    this.keyPackages = new KeyPackagesService(
      config,
      clock,
      db,
      this.poller,
      this.metrics,
      this.clientRows,
      this.keyPackageRows,
      new RateLimits(),
      this.welcomes,
      { numberAnswer: () => Promise.resolve() } as unknown as HighWater,
      suite,
    );
    this.clients = new ClientsService(config, clock, db, this.poller, this.clientRows, this.keyPackages, suite);
    this.states = new ClientStateRepository(this.vault);
    this.earlierKeys = new EarlierGroupKeyRepository(this.vault);
    this.groups = new LocalGroupsService(this.states, new LeafRepository(this.vault), this.earlierKeys, clock);
    this.applications = new ApplicationsService(db, this.states, this.groups, this.earlierKeys, suite);
    this.stateLoss = new StateLossService(clock, db, this.states, this.groups, this.keyPackages, suite);
    const joining = new JoiningService(
      config,
      clock,
      db,
      this.states,
      this.groups,
      this.keyPackageRows,
      this.welcomes,
      this.earlierKeys,
      suite,
    );
    this.mls = new MlsService(
      clock,
      dice,
      db,
      this.clientRows,
      this.states,
      this.groups,
      new PendingCommitRepository(this.vault),
      joining,
      suite,
    );
  }

  static async of(domain: string, clock = new TestClock()): Promise<MlsServer> {
    const lease = await leaseDatabase();
    const dice = new TestDice(domain);
    return new MlsServer(
      host(domain),
      clock,
      await lease.transactions([...MLS_ROWS, RateLimitRow]),
      await suiteFrom(dice),
      lease,
      dice,
    );
  }

  /** A user of this server, with a full stock when `stocked`. */
  async user(name: string, stocked = false): Promise<OcmAddress> {
    const address = ocmAddress(`${name}@${this.domain}`);
    await this.db.run((tx) => this.clients.add(tx, address, name));
    while (stocked && (await this.keyPackages.replenish()));
    return address;
  }

  /** Takes one KeyPackage of a user of this server, as another server would. */
  async keyPackage(user: OcmAddress): Promise<{ address: OcmAddress; keyPackage: Uint8Array }> {
    const keyPackage = await this.keyPackages.handOutHere(user);
    if (!keyPackage) throw new Error(`no KeyPackage for ${user}`);
    return { address: user, keyPackage };
  }

  /** Builds and accepts at once: this server is the owner. */
  commit(mlsGroupId: MlsGroupId, wish: Omit<Partial<CommitWish>, 'mlsGroupId'> & { committer: OcmAddress }) {
    return this.db.run(async (tx) => {
      const { digest } = await this.mls.buildCommit(tx, { mlsGroupId, add: [], remove: [], ...wish });
      return this.mls.acceptPending(tx, mlsGroupId, digest);
    });
  }

  view(mlsGroupId: MlsGroupId): Promise<GroupView> {
    return this.db.run((tx) => this.mls.view(tx, mlsGroupId));
  }

  join(userId: OcmAddress, welcome: Uint8Array, since?: Joining['since']): Promise<Joined> {
    return this.db.run((tx) => this.mls.join(tx, { userId, welcome, ...(since && { since }) }));
  }

  follow(mlsGroupId: MlsGroupId, { commit, proposals }: PendingCommit): Promise<CommitFacts> {
    return this.db.run((tx) => this.mls.advance(tx, { mlsGroupId, commit, proposals }));
  }

  async count(table: string): Promise<number> {
    const [row] = await this.db.run((tx) => tx.query(`SELECT count(*)::int AS n FROM ${table}`));
    return row.n;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lease.release();
  }
}

export const LAB = ocmAddress('lab@a.test');

/** Alice of a.test has founded a group and added Bob of b.test. */
export async function twoServers() {
  const [a, b] = [await MlsServer.of('a.test'), await MlsServer.of('b.test')];
  const [alice, bob] = [await a.user('alice', true), await b.user('bob', true)];
  const { mlsGroupId: lab } = await a.db.run((tx) => a.mls.createGroup(tx, { address: LAB, creator: alice }));
  const added = await a.commit(lab, { committer: alice, add: [await b.keyPackage(bob)] });
  await b.join(bob, added.welcome!);
  const release = async () => {
    await a[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  };
  return { a, b, alice, bob, lab, added, [Symbol.asyncDispose]: release };
}
