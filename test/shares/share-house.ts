import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { FollowerRepository } from '../../src/groups/follower.repository.js';
import { Following } from '../../src/groups/following.service.js';
import { GroupRepository } from '../../src/groups/group.repository.js';
import { MemberRepository } from '../../src/groups/member.repository.js';
import { type Host, host, type OcmAddress, ocmAddress } from '../../src/kernel/address.js';
import { Fault } from '../../src/kernel/fault.js';
import { epoch, type MlsGroupId } from '../../src/kernel/ids.js';
import type { ClientsService } from '../../src/mls/clients.service.js';
import type { Discovery } from '../../src/ocm/discovery.js';
import type { PeerClient } from '../../src/ocm/peer.client.js';
import type { TokenKeys } from '../../src/ocm/server-keys.service.js';
import type { NewLetter, Outbox, TakenAnswer } from '../../src/outbox/outbox.service.js';
import { configFrom } from '../../src/platform/config.js';
import { Idempotency } from '../../src/platform/idempotency.repository.js';
import type { HighWater } from '../../src/platform/high-water.provider.js';
import { Log } from '../../src/platform/logger.service.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { Poller } from '../../src/platform/poller.service.js';
import type { TransactionService, Tx } from '../../src/platform/transaction.service.js';
import { Vault } from '../../src/platform/vault.service.js';
import { AnnouncingService } from '../../src/shares/announcing.service.js';
import { AnswersWorker } from '../../src/shares/answers.worker.js';
import { EndingService } from '../../src/shares/ending.service.js';
import { ExpiryWorker } from '../../src/shares/expiry.worker.js';
import { NoticesWorker } from '../../src/shares/notices.worker.js';
import { OpeningService } from '../../src/shares/opening.service.js';
import { ReceivedShareRepository } from '../../src/shares/received-share.repository.js';
import { ReceivingService } from '../../src/shares/receiving.service.js';
import { RecipientsWorker } from '../../src/shares/recipients.worker.js';
import { DepartureRepository } from '../../src/groups/departure.repository.js';
import { AuditLog } from '../../src/platform/audit-log.repository.js';
import type { AudienceService } from '../../src/shares/audience.service.js';
import type { EncryptedResourceRepository } from '../../src/shares/encrypted-resource.repository.js';
import { RotationRepository } from '../../src/shares/rotation.repository.js';
import { RotationWishes } from '../../src/shares/rotation-wishes.service.js';
import type { FileKeysService } from '../../src/shares/file-keys.service.js';
import type { KeySendingService } from '../../src/shares/key-sending.service.js';
import { PreparingService } from '../../src/shares/preparing.service.js';
import { SendingService } from '../../src/shares/sending.service.js';
import { ShareAnswersService } from '../../src/shares/share-answers.service.js';
import { type Sharing, SharingService } from '../../src/shares/sharing.service.js';
import { ShareMetrics } from '../../src/shares/share-metrics.service.js';
import { ShareServerRepository } from '../../src/shares/share-server.repository.js';
import { ShareRepository } from '../../src/shares/share.repository.js';
import { GROUPS_ROWS } from '../../src/groups/groups.module.js';
import { PLATFORM_ROWS } from '../../src/platform/platform.module.js';
import { SHARES_ROWS } from '../../src/shares/shares.module.js';
import { TOKENS_ROWS } from '../../src/tokens/tokens.module.js';
import { RateLimits } from '../../src/platform/rate-limits.repository.js';
import { GrantRepository } from '../../src/tokens/grant.repository.js';
import { PairingRepository } from '../../src/tokens/pairing.repository.js';
import { ProtocolServerClient } from '../../src/tokens/protocol-server.client.js';
import { ProvisioningService } from '../../src/tokens/provisioning.service.js';
import { ShareRecordRepository } from '../../src/tokens/share-record.repository.js';
import { TokensService } from '../../src/tokens/tokens.service.js';
import type { PeerLimits } from '../../src/trust/peer-limits.service.js';
import { TestClock } from '../support/clock.js';
import { leaseDatabase, type Lease } from '../support/database.js';
import { askForToken, hand } from './neighbours.js';
import { documentOf, RESOURCE } from './shared-resource.js';
import { TestDice } from '../support/dice.js';
import { NO_FEED } from '../support/no-feed.js';

const ROWS = [...PLATFORM_ROWS, ...GROUPS_ROWS, ...TOKENS_ROWS, ...SHARES_ROWS];

/** What is shared here is not encrypted. */
const LIMITS_NOTHING = { spendFor: async () => undefined } as unknown as PeerLimits;
const ENCRYPTS_NOTHING: unknown = {};

/** What is answered is noted in no file. */
const NO_FOLDER = { numberAnswer: () => Promise.resolve() } as unknown as HighWater;

/** Sharing on one server, groups given by hand. Letters lie in `letters` until somebody carries them. */
export class ShareHouse implements AsyncDisposable {
  readonly letters: NewLetter[] = [];
  readonly answers: TakenAnswer[] = [];
  readonly logged: string[] = [];
  /** What peers say of themselves, or how they fail to. */
  readonly documents = new Map<string, Discovery | Fault>();
  /** What happens while a peer is asked what it takes. */
  whileAsked: (peer: Host) => Promise<void> = () => Promise.resolve();
  readonly groups = new GroupRepository(NO_FEED);
  readonly members = new MemberRepository(new DepartureRepository());
  readonly metrics = new Metrics();
  readonly tokenKey: { kid: string; alg: 'ES256'; privateKey: KeyObject; publicKey: KeyObject };
  readonly tokens: TokensService;
  readonly sharing: SharingService;
  readonly sending: SendingService;
  readonly said: ShareAnswersService;
  readonly receiving: ReceivingService;
  readonly openings: OpeningService;
  readonly notices: NoticesWorker;
  readonly recipients: RecipientsWorker;
  readonly answering: AnswersWorker;
  readonly expiry: ExpiryWorker;
  readonly limits = new RateLimits();
  readonly grants = new GrantRepository();
  readonly received: ReceivedShareRepository;

  private constructor(
    readonly domain: Host,
    readonly neighbours: Map<string, ShareHouse>,
    readonly clock: TestClock,
    readonly lease: Lease,
    readonly db: TransactionService,
  ) {
    const dice = new TestDice(domain);
    const config = configFrom({ COVEY_DOMAIN: domain });
    const log = new Log('debug', { write: (line: string) => void this.logged.push(line) });
    const poller = new Poller(log, this.metrics);
    this.tokenKey = { kid: `${domain}#token`, alg: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
    const keys = { current: () => this.tokenKey } as unknown as TokenKeys;
    const outbox = {
      post: (_: Tx, letter: NewLetter) => Promise.resolve(String(this.letters.push(letter))),
      withdraw: (_: Tx, which: Pick<NewLetter, 'to' | 'lane' | 'kind' | 'subject'>) => {
        const stays = this.letters.filter(
          (one) => !Object.entries(which).every(([key, is]) => one[key as 'to'] === is),
        );
        this.letters.splice(0, this.letters.length, ...stays);
        return Promise.resolve();
      },
      hasAnswer: () => Promise.resolve(this.answers.length > 0),
      takeAnswer: () => Promise.resolve(this.answers.shift()),
    } as unknown as Outbox;
    const clients = {
      find: (_: Tx, address: string) => Promise.resolve({ address, displayName: address.split('@')[0] }),
    } as unknown as ClientsService;
    const peers = {
      discovery: (peer: Host) => this.discovery(peer),
      postForm: (peer: Host, url: string, form: Record<string, string>) =>
        askForToken(this.neighbours.get(peer)!.tokens, { from: this.domain, peer, url, form }),
    } as unknown as PeerClient;
    const { groups, members, metrics } = this;
    const vault = new Vault({ keys: [new Uint8Array(32).fill(5)] }, dice);
    const [shares, servers] = [new ShareRepository(NO_FEED), new ShareServerRepository(NO_FEED)];
    const received = (this.received = new ReceivedShareRepository(vault, NO_FEED));
    const [pairings, records] = [new PairingRepository(), new ShareRecordRepository(vault)];
    const client = new ProtocolServerClient(peers);
    const provisioning = new ProvisioningService(clock, db, pairings, records, client, poller, log);
    const tokens = new TokensService(
      config,
      clock,
      dice,
      db,
      this.grants,
      this.limits,
      provisioning,
      keys,
      metrics,
      log,
    );
    const rotations = new RotationRepository(vault);
    const wishes = new RotationWishes(
      config,
      clock,
      ENCRYPTS_NOTHING as EncryptedResourceRepository,
      rotations,
      ENCRYPTS_NOTHING as AudienceService,
      log,
    );
    const ending = new EndingService(config, clock, shares, servers, received, tokens, wishes, outbox, log);
    const announcing = new AnnouncingService(
      config,
      clock,
      dice,
      clients,
      tokens,
      provisioning,
      servers,
      received,
      outbox,
      log,
    );
    const preparing = new PreparingService(config, db, peers, announcing, provisioning);
    this.tokens = tokens;
    this.sharing = new SharingService(
      config,
      clock,
      dice,
      db,
      groups,
      members,
      shares,
      servers,
      ENCRYPTS_NOTHING as FileKeysService,
      ENCRYPTS_NOTHING as KeySendingService,
      wishes,
      preparing,
      provisioning,
      new Idempotency(clock),
      LIMITS_NOTHING,
      poller,
      log,
    );
    this.sending = new SendingService(db, shares, servers, tokens, ending, announcing, log);
    this.said = new ShareAnswersService(clock, db, shares, servers, tokens, new AuditLog(clock, log), log);
    this.receiving = new ReceivingService(clock, dice, db, groups, members, received, NO_FOLDER, log);
    this.openings = new OpeningService(config, clock, db, groups, members, received, tokens, peers, log);
    this.notices = new NoticesWorker(clock, db, groups, members, shares, servers, preparing, announcing, log);
    this.recipients = new RecipientsWorker(
      clock,
      db,
      new Following(db, new FollowerRepository(), groups),
      members,
      shares,
      servers,
      received,
      ending,
      poller,
    );
    this.answering = new AnswersWorker(clock, db, outbox, servers, tokens);
    this.expiry = new ExpiryWorker(clock, db, shares, received, ending);
    new ShareMetrics(metrics, db, shares, servers, received, rotations);
  }

  static async open(name: string, neighbours = new Map<string, ShareHouse>(), clock = new TestClock()) {
    const lease = await leaseDatabase();
    const house = new ShareHouse(host(name), neighbours, clock, lease, await lease.transactions(ROWS));
    neighbours.set(name, house);
    return house;
  }

  /** The group enters an epoch with these members; with none of ours it is left. */
  async commit(group: string, at: number, ...members: string[]): Promise<void> {
    const address = ocmAddress(group);
    const here = members.map(ocmAddress);
    const next = {
      mlsGroupId: `id-of-${group}` as MlsGroupId,
      address,
      epoch: epoch(at),
      state: here.some((member) => member.endsWith(`@${this.domain}`)) ? ('active' as const) : ('left' as const),
      instance: 1,
      history: 0,
      admins: here.slice(0, 1),
    };
    await this.db.run(async (tx) => {
      const known = await this.groups.lock(tx, next.mlsGroupId);
      if (known) await this.groups.save(tx, known, next, this.clock.now());
      else await this.groups.add(tx, next, this.clock.now());
      const roster = here.map((member, leafIndex) => ({ address: member, leafIndex }));
      await this.members.replace(tx, next.mlsGroupId, roster, this.clock.now());
    });
  }

  async share(change: Partial<Sharing> = {}) {
    const alice = ocmAddress(`alice@${this.domain}`);
    const shareId = await this.sharing.create({
      group: ocmAddress('lab@a.test'),
      sender: alice,
      owner: alice,
      resource: RESOURCE,
      ...change,
    });
    return this.sending.get(shareId);
  }

  /** Every worker until nobody has anything to do now. */
  async work(): Promise<void> {
    const workers = [this.recipients, this.notices, this.answering, this.expiry];
    for (let busy = true; busy;) {
      busy = false;
      for (const worker of workers) while (await worker.turn()) busy = true;
    }
  }

  /** Carries the letters to neighbours, and the answers back. */
  async carry(): Promise<void> {
    for (const letter of this.letters.splice(0)) {
      const { to, subject, answerTo } = letter;
      const outcome = await hand(this.domain, this.neighbours.get(to)!.receiving, letter);
      if (answerTo) this.answers.push({ letterId: 'l', subject, to, ...outcome });
    }
  }

  /** Works and carries until there is nothing left. */
  async settle(): Promise<void> {
    await this.work();
    while (this.letters.length > 0 || this.answers.length > 0) {
      await this.carry();
      await this.work();
    }
  }

  visible = async (user: string): Promise<string[]> =>
    (await this.openings.visibleTo(ocmAddress(user))).map(({ resource }) => resource.name);

  private async discovery(peer: Host): Promise<Discovery> {
    await this.whileAsked(peer);
    const found = this.documents.get(peer) ?? documentOf(peer);
    if (found instanceof Fault) throw found;
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lease.release();
  }
}

export const address = (text: string): OcmAddress => ocmAddress(text);
