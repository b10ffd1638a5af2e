import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Host } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { type ProviderKey, providerKey, providerPattern, type ProviderPattern } from '../kernel/provider-pattern.js';
import { Config } from '../platform/config.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import { DirectorySources } from './directory-sources.provider.js';
import { type DirectoryRow, DirectoryRepository } from './directory.repository.js';
import { judgeProvider, type Standing } from './policy.js';
import { type ProviderRow, ProviderRepository } from './provider.repository.js';
import { ProvidersFile } from './providers-file.provider.js';
import { type RuleRow, RuleRepository } from './rule.repository.js';
import { TrustVersion } from './trust-version.repository.js';

/** What another replica changed counts here after so long at the latest. */
export const STALE_MS = 2_000;
const MOST_JUDGED = 5_000;
const OWN: Standing = { kind: 'allowed', reason: 'own' };

/** Everything that decides, as it was read together. */
export interface TrustPicture {
  readonly version: string;
  readonly providers: ReadonlyMap<ProviderKey, ProviderRow>;
  readonly rules: readonly RuleRow[];
  readonly directories: readonly DirectoryRow[];
  /** Who is on a list, and on which. */
  readonly listed: ReadonlyMap<ProviderKey, { readonly source: string; readonly name: string }>;
  readonly unread: boolean;
}

/** A picture with what was judged by it. */
interface Held extends TrustPicture {
  readonly allow: readonly ProviderPattern[];
  readonly deny: readonly ProviderPattern[];
  readonly judged: Map<string, Standing>;
}

/**
 * Says who may federate with this server, from memory: the database is asked every two seconds at most whether anything
 * changed, and only while somebody wants to know.
 */
@Injectable()
export class Trust implements OnModuleInit {
  private held: Held | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private changes = 0;
  private looking: Promise<Held> | undefined;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly transactions: TransactionService,
    private readonly version: TrustVersion,
    private readonly providers: ProviderRepository,
    private readonly rules: RuleRepository,
    private readonly directories: DirectoryRepository,
    private readonly sources: DirectorySources,
    private readonly file: ProvidersFile,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.look();
  }

  /** How another server stands. With `tx` within a transaction, without it outside of any. */
  async standing(peer: Host, tx?: Tx): Promise<Standing> {
    if (peer === this.config.domain) return OWN;
    return this.judge(await this.current(tx), peer);
  }

  /** Before anything is sent to a server or read from it. Throws `peer.held` or `peer.refused`. */
  async demand(peer: Host): Promise<void> {
    const { kind } = await this.standing(peer);
    if (kind !== 'allowed') throw new Fault(kind === 'held' ? 'peer.held' : 'peer.refused', { peer });
  }

  /** Whether old wire forms of this peer are understood, as far as was read so far. D-02 */
  isCompatible(peer: Host): boolean {
    return this.settingsOf(peer)?.compatible ?? this.config.isCompatible(peer);
  }

  /** Whether that can be so for anybody. */
  get knowsOldPeers(): boolean {
    return this.config.compat.length > 0 || [...(this.held?.providers.values() ?? [])].some((one) => one.compatible);
  }

  /** How much of what is usual the peer may ask, in percent, as far as was read so far. */
  limitOf(peer: Host): number {
    return this.settingsOf(peer)?.limitPercent ?? this.config.peerLimitPercent;
  }

  /** What everything is judged by, as the database has it now, with how reading the lists went. */
  async picture(): Promise<TrustPicture> {
    await this.file.look();
    return this.keep(await this.transactions.run((tx) => this.read(tx)));
  }

  /** Something was changed in this process: after the commit it counts here at once, and soon elsewhere. */
  async changed(tx: Tx): Promise<void> {
    await this.version.raise(tx);
    this.transactions.afterCommit(tx, () => {
      this.changes++;
      this.lookedAt = Number.NEGATIVE_INFINITY;
      for (const listener of this.listeners) listener();
    });
  }

  /** `listener` is a hint, and called for what this process changed. */
  whenChanged(listener: () => void): void {
    this.listeners.push(listener);
  }

  private settingsOf(peer: Host): ProviderRow | undefined {
    return this.held?.providers.size ? this.held.providers.get(providerKey(peer)) : undefined;
  }

  private async current(tx?: Tx): Promise<Held> {
    // A clock that was set back does not make what is old look new.
    const age = Math.abs(this.clock.now().getTime() - this.lookedAt);
    if (this.held && age < STALE_MS) return this.held;
    // Within a transaction nobody else is waited for: with one connection that would be for ever.
    if (tx) return this.keep(await this.read(tx));
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async look(): Promise<Held> {
    const [before, at] = [this.changes, this.clock.now().getTime()];
    const fileChanged = await this.file.look();
    const version = await this.transactions.statement((tx) => this.version.read(tx));
    const same = !fileChanged && this.held?.version === version;
    const held = same ? this.held! : this.keep(await this.transactions.run((tx) => this.read(tx)));
    if (before === this.changes) this.lookedAt = at;
    return held;
  }

  private keep(held: Held): Held {
    this.held = held;
    return held;
  }

  /** The version first: what is newer than it is read again. */
  private async read(tx: Tx): Promise<Held> {
    const version = await this.version.read(tx);
    const rows = await this.providers.all(tx);
    const rules = await this.rules.all(tx);
    const directories = await this.directories.all(tx, this.sources.urls);
    const patterns = (effect: RuleRow['effect']) =>
      rules.filter((rule) => rule.effect === effect).map(({ pattern }) => providerPattern(pattern));
    return {
      version,
      providers: new Map(rows.map((row) => [row.key, row])),
      rules,
      directories,
      listed: this.listedIn(directories),
      unread: this.isUnread(directories),
      allow: [...this.config.trustAllow, ...patterns('allow')],
      deny: [...this.config.trustDeny, ...patterns('deny')],
      judged: new Map(),
    };
  }

  private listedIn(directories: readonly DirectoryRow[]): TrustPicture['listed'] {
    const lists = [
      ...directories.map(({ url, providers }) => ({ source: url, providers: providers ?? [] })),
      ...(this.file.last ? [{ source: this.file.path!, providers: this.file.last.providers }] : []),
    ];
    return new Map(
      lists.flatMap(({ source, providers }) =>
        providers.map(({ host, name }) => [providerKey(host), { source, name }] as const),
      ),
    );
  }

  private isUnread(directories: readonly DirectoryRow[]): boolean {
    const read = directories.filter(({ readAt }) => readAt !== null).length;
    return read < this.sources.urls.length || (this.file.path !== undefined && !this.file.last);
  }

  private judge(held: Held, peer: string): Standing {
    const known = held.judged.get(peer);
    if (known) return known;
    const row = held.providers.get(providerKey(peer));
    const standing = judgeProvider(peer, {
      policy: this.config.trustPolicy,
      deny: held.deny,
      allow: held.allow,
      listedBy: held.listed.get(providerKey(peer))?.source,
      unread: held.unread,
      decided: row && { decision: row.decision, quarantined: row.quarantinedAt !== null },
    });
    if (held.judged.size >= MOST_JUDGED) held.judged.clear();
    held.judged.set(peer, standing);
    return standing;
  }
}
