import { Injectable } from '@nestjs/common';
import type { Host, OcmAddress } from '../kernel/address.js';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { providerKey, type ProviderPattern } from '../kernel/provider-pattern.js';
import type { AuditAct } from '../platform/audit-entry.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { Metrics } from '../platform/metrics.service.js';
import { type Tx, TransactionService } from '../platform/transaction.service.js';
import type { ProviderPicture } from './provider.js';
import { type ProviderRow, ProviderRepository } from './provider.repository.js';
import { ProvidersFile } from './providers-file.provider.js';
import { type Effect, RuleRepository } from './rule.repository.js';
import { Trust, type TrustPicture } from './trust.service.js';

export interface ProviderSettings {
  readonly compatible?: boolean | null | undefined;
  readonly limitPercent?: number | null | undefined;
}

/** What operators see and decide of other providers. Each decision counts from its commit on, and is in the audit log. */
@Injectable()
export class ProvidersService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly transactions: TransactionService,
    private readonly trust: Trust,
    private readonly providers: ProviderRepository,
    private readonly rules: RuleRepository,
    private readonly file: ProvidersFile,
    private readonly audit: AuditLog,
    metrics: Metrics,
  ) {
    metrics.beforeReading(() => this.measure(metrics));
  }

  /** Everything that decides, as it is now. */
  picture(): Promise<TrustPicture> {
    return this.trust.picture();
  }

  /** Whoever was decided about, waits, or is on a list, and the hosts that are named besides; by name. */
  async all(besides: readonly string[]): Promise<ProviderPicture[]> {
    const { providers, listed } = await this.trust.picture();
    const keys = new Set([...providers.keys(), ...listed.keys(), ...besides.map(providerKey)]);
    return Promise.all([...keys].toSorted().map((key) => this.of(key as string as Host)));
  }

  async of(host: Host): Promise<ProviderPicture> {
    const standing = await this.trust.standing(host);
    const { providers, listed } = await this.trust.picture();
    const key = providerKey(host);
    const [row, entry] = [providers.get(key), listed.get(key)];
    return { host: key, standing, ...(entry ? { name: entry.name } : {}), ...(row ? { row } : {}) };
  }

  /** Somebody whom nobody knows wants to federate: an operator has to decide. */
  asks(peer: Host): Promise<void> {
    return this.note(peer, peer);
  }

  /** A user here wants to have to do with a server. When it is one that nobody knows, an operator has to decide. */
  async wanted(peer: Host, actor: OcmAddress): Promise<void> {
    const { reason } = await this.trust.standing(peer);
    if (reason === 'waiting') await this.note(peer, actor);
  }

  private async note(peer: Host, actor: Host | OcmAddress): Promise<void> {
    await this.transactions.run(async (tx) => {
      if (!(await this.providers.asks(tx, providerKey(peer), this.clock.now()))) return;
      await this.audit.record(tx, { act: 'provider.asked', actor, subject: providerKey(peer) });
      await this.trust.changed(tx);
    });
  }

  approve(host: Host, why: string): Promise<ProviderPicture> {
    return this.decide(host, 'provider.approved', why, { decision: 'approved' });
  }

  refuse(host: Host, why: string): Promise<ProviderPicture> {
    return this.decide(host, 'provider.refused', why, { decision: 'refused' });
  }

  /** Approval or refusal is taken back: lists and the policy decide again. */
  forget(host: Host, why: string): Promise<ProviderPicture> {
    return this.decide(host, 'provider.forgotten', why, { decision: null });
  }

  quarantine(host: Host, why: string): Promise<ProviderPicture> {
    const changes = { quarantinedAt: this.clock.now(), quarantineWhy: why };
    return this.change(host, changes, 'provider.quarantined', { why });
  }

  release(host: Host, why: string): Promise<ProviderPicture> {
    return this.change(host, { quarantinedAt: null, quarantineWhy: null }, 'provider.released', { why });
  }

  set(host: Host, { compatible, limitPercent }: ProviderSettings, why: string): Promise<ProviderPicture> {
    const changes = {
      ...(compatible === undefined ? {} : { compatible }),
      ...(limitPercent === undefined ? {} : { limitPercent }),
    };
    return this.change(host, changes, 'provider.set', { ...changes, why });
  }

  async makeRule(effect: Effect, pattern: ProviderPattern, why: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      await this.rules.put(tx, { effect, pattern: pattern.text, why, madeAt: this.clock.now() });
      await this.tell(tx, 'provider.rule-made', pattern.text, { effect, why });
    });
  }

  /** Throws `not-found`. */
  async endRule(effect: Effect, pattern: ProviderPattern, why: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      if (!(await this.rules.remove(tx, effect, pattern.text))) throw new Fault('not-found', { pattern: pattern.text });
      await this.tell(tx, 'provider.rule-ended', pattern.text, { effect, why });
    });
  }

  private decide(
    host: Host,
    act: AuditAct,
    why: string,
    changes: Pick<ProviderRow, 'decision'>,
  ): Promise<ProviderPicture> {
    return this.change(host, { ...changes, why, decidedAt: this.clock.now() }, act, { why });
  }

  private async change(
    host: Host,
    changes: Partial<ProviderRow>,
    act: AuditAct,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<ProviderPicture> {
    if (providerKey(host) === providerKey(this.config.domain)) throw new Fault('trust.own', { provider: host });
    await this.transactions.run(async (tx) => {
      await this.providers.change(tx, providerKey(host), changes);
      await this.tell(tx, act, providerKey(host), facts);
    });
    return this.of(host);
  }

  private async tell(tx: Tx, act: AuditAct, subject: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.audit.record(tx, { act, subject, facts });
    await this.trust.changed(tx);
  }

  private async measure(metrics: Metrics): Promise<void> {
    const { providers, directories } = await this.trust.picture();
    const count = (is: (row: ProviderRow) => boolean) => [...providers.values()].filter(is).length;
    metrics.providersCounted({
      waiting: count(({ decision, askedAt }) => decision === null && askedAt !== null),
      approved: count(({ decision }) => decision === 'approved'),
      refused: count(({ decision }) => decision === 'refused'),
      quarantined: count(({ quarantinedAt }) => quarantinedAt !== null),
    });
    for (const { url, failure, readAt } of directories) {
      metrics.providerList(url, failure !== null, readAt ?? undefined);
    }
    if (this.file.path !== undefined) {
      metrics.providerList(this.file.path, this.file.failure !== undefined, this.file.last?.readAt);
    }
  }
}
