import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What can be counted, in words of the domain; the names of Prometheus stay in here. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly registers = [this.registry];

  private readonly requests = new Histogram({
    name: 'covey_http_request_seconds',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: this.registers,
  });
  private readonly verifications = new Counter({
    name: 'covey_signature_verifications_total',
    help: 'HTTP signatures judged',
    labelNames: ['outcome'],
    registers: this.registers,
  });
  private readonly commits = new Counter({
    name: 'covey_commits_total',
    help: 'Commits judged',
    labelNames: ['verdict'],
    registers: this.registers,
  });
  private readonly commitSeconds = new Histogram({
    name: 'covey_commit_seconds',
    help: 'From a Commit made here to its acceptance',
    buckets: [...SECONDS, 30, 60, 300, 3600],
    registers: this.registers,
  });
  private readonly letters = new Counter({
    name: 'covey_letters_total',
    help: 'Letters of the outbox by what became of them',
    labelNames: ['outcome'],
    registers: this.registers,
  });
  private readonly outboxDepth = new Gauge({
    name: 'covey_outbox_letters',
    help: 'Letters waiting, by peer',
    labelNames: ['peer'],
    registers: this.registers,
  });
  private readonly outboxAge = new Gauge({
    name: 'covey_outbox_oldest_seconds',
    help: 'Age of the oldest letter waiting, by peer',
    labelNames: ['peer'],
    registers: this.registers,
  });
  private readonly keyPackages = new Gauge({
    name: 'covey_key_packages',
    help: 'KeyPackages in stock',
    labelNames: ['kind'],
    registers: this.registers,
  });
  private readonly turnFailures = new Counter({
    name: 'covey_turn_failures_total',
    help: 'Turns of workers that failed',
    labelNames: ['worker'],
    registers: this.registers,
  });
  private readonly loggedCommits = new Gauge({
    name: 'covey_commit_log_commits',
    help: 'Commits that are kept for servers that missed them',
    registers: this.registers,
  });
  private readonly commitLogBytes = new Gauge({
    name: 'covey_commit_log_bytes',
    help: 'Size of the commit log in the database, indexes included',
    registers: this.registers,
  });
  private readonly prunedCommits = new Counter({
    name: 'covey_commit_log_pruned_total',
    help: 'Commits that were old enough to be forgotten',
    registers: this.registers,
  });
  private readonly tokens = new Counter({
    name: 'covey_tokens_total',
    help: 'Token requests by outcome',
    labelNames: ['outcome'],
    registers: this.registers,
  });
  private readonly introspections = new Counter({
    name: 'covey_introspections_total',
    help: 'Questions about tokens, by the answer or why there was none',
    labelNames: ['outcome'],
    registers: this.registers,
  });
  private readonly refusals = new Counter({
    name: 'covey_trust_refusals_total',
    help: 'Requests of other servers that policy held or refused',
    labelNames: ['code', 'reason'],
    registers: this.registers,
  });
  private readonly limited = new Counter({
    name: 'covey_limited_total',
    help: 'Requests of other servers that were more than one may ask',
    labelNames: ['endpoint'],
    registers: this.registers,
  });
  private readonly providers = new Gauge({
    name: 'covey_trust_providers',
    help: 'Providers about whom something was decided or is to be decided',
    labelNames: ['state'],
    registers: this.registers,
  });
  private readonly listFailures = new Gauge({
    name: 'covey_trust_list_failing',
    help: '1 when the list of providers could not be read at the last try',
    labelNames: ['source'],
    registers: this.registers,
  });
  private readonly listReadAt = new Gauge({
    name: 'covey_trust_list_read_timestamp_seconds',
    help: 'When the list of providers was read last',
    labelNames: ['source'],
    registers: this.registers,
  });
  private readonly feedPosition = new Gauge({
    name: 'covey_feed_position',
    help: 'Events that the feed ever told of',
    registers: this.registers,
  });
  private readonly feedKept = new Gauge({
    name: 'covey_feed_events',
    help: 'Events of the feed that are kept',
    registers: this.registers,
  });
  private readonly openStreams = new Gauge({
    name: 'covey_feed_streams',
    help: 'Open streams of the feed in this process',
    registers: this.registers,
  });
  private readonly webhookBacklog = new Gauge({
    name: 'covey_webhook_backlog_events',
    help: 'Events that a webhook has not had, by webhook and state',
    labelNames: ['webhook', 'state'],
    registers: this.registers,
  });
  private readonly webhookLag = new Gauge({
    name: 'covey_webhook_lag_seconds',
    help: 'Age of the oldest event that a webhook has not had',
    labelNames: ['webhook', 'state'],
    registers: this.registers,
  });
  private readonly webhookRequests = new Counter({
    name: 'covey_webhook_requests_total',
    help: 'Webhooks sent, by what came of it',
    labelNames: ['outcome'],
    registers: this.registers,
  });
  private readonly membershipAnswers = new Counter({
    name: 'covey_membership_answers_total',
    help: 'Questions about members, by whether the answer was in memory',
    labelNames: ['question', 'outcome'],
    registers: this.registers,
  });
  private readonly membershipsKept = new Gauge({
    name: 'covey_memberships_kept',
    help: 'Memberships that this process keeps in memory',
    registers: this.registers,
  });
  private readonly refreshers: (() => Promise<void>)[] = [];

  requestAnswered(method: string, route: string, status: number, seconds: number): void {
    this.requests.observe({ method, route, status }, seconds);
  }

  /** `outcome`: `ok` or a fault code. */
  signatureJudged(outcome: string): void {
    this.verifications.inc({ outcome });
  }

  /** `verdict`: the kind of the verdict, or the fault code of the refusal. */
  commitJudged(verdict: string): void {
    this.commits.inc({ verdict });
  }

  commitAccepted(seconds: number): void {
    this.commitSeconds.observe(seconds);
  }

  letterSettled(outcome: string): void {
    this.letters.inc({ outcome });
  }

  tokenAnswered(outcome: string): void {
    this.tokens.inc({ outcome });
  }

  introspected(outcome: string): void {
    this.introspections.inc({ outcome });
  }

  /** `code`: `trust.held` or `trust.refused`; `reason`: of the standing. */
  providerTurnedAway(code: string, reason: string): void {
    this.refusals.inc({ code, reason });
  }

  peerLimited(endpoint: string): void {
    this.limited.inc({ endpoint });
  }

  providersCounted(counts: Readonly<Record<string, number>>): void {
    for (const [state, count] of Object.entries(counts)) this.providers.set({ state }, count);
  }

  providerList(source: string, failing: boolean, readAt: Date | undefined): void {
    this.listFailures.set({ source }, failing ? 1 : 0);
    if (readAt) this.listReadAt.set({ source }, readAt.getTime() / 1000);
  }

  /** `outcome`: `hit` when the answer was in memory, `miss` when the database was asked. */
  membershipAnswered(question: string, outcome: 'hit' | 'miss'): void {
    this.membershipAnswers.inc({ question, outcome });
  }

  membershipCache(memberships: number): void {
    this.membershipsKept.set(memberships);
  }

  turnFailed(worker: string): void {
    this.turnFailures.inc({ worker });
  }

  /** Replaces the picture of the whole outbox. */
  outbox(peers: readonly { peer: string; letters: number; oldestSeconds: number }[]): void {
    this.outboxDepth.reset();
    this.outboxAge.reset();
    for (const { peer, letters, oldestSeconds } of peers) {
      this.outboxDepth.set({ peer }, letters);
      this.outboxAge.set({ peer }, oldestSeconds);
    }
  }

  keyPackageStock(kind: string, count: number): void {
    this.keyPackages.set({ kind }, count);
  }

  commitLog({ commits, bytes, pruned }: { commits: number; bytes: number; pruned: number }): void {
    this.loggedCommits.set(commits);
    this.commitLogBytes.set(bytes);
    this.prunedCommits.inc(pruned);
  }

  feedStreams(count: number): void {
    this.openStreams.set(count);
  }

  webhookSettled(outcome: string): void {
    this.webhookRequests.inc({ outcome });
  }

  feed({ position, kept }: { position: number; kept: number }): void {
    this.feedPosition.set(position);
    this.feedKept.set(kept);
  }

  /** Replaces the picture of all webhooks. */
  webhooks(all: readonly { id: string; state: string; backlog: number; lagSeconds: number }[]): void {
    this.webhookBacklog.reset();
    this.webhookLag.reset();
    for (const { id: webhook, state, backlog, lagSeconds } of all) {
      this.webhookBacklog.set({ webhook, state }, backlog);
      this.webhookLag.set({ webhook, state }, lagSeconds);
    }
  }

  /** Before metrics are read, `refresh` is run: for gauges that come from the database. */
  beforeReading(refresh: () => Promise<void>): void {
    this.refreshers.push(refresh);
  }

  /** In the text format of Prometheus. A gauge that cannot be refreshed keeps its last value. */
  async text(): Promise<string> {
    await Promise.allSettled(this.refreshers.map((refresh) => refresh()));
    return this.registry.metrics();
  }
}
