import { Injectable } from '@nestjs/common';
import { GroupVersionRepository, type Moved, type Outlook } from '../groups/group-version.repository.js';
import { Rounds } from '../kernel/rounds.js';
import { Config } from '../platform/config.js';
import { Metrics } from '../platform/metrics.service.js';
import { TransactionService } from '../platform/transaction.service.js';
import { KeptAnswers } from './kept-answers.js';

/** A question that can be asked again, and what its answer depends on. */
export interface Question<T> {
  /** For the metrics. */
  readonly kind: string;
  readonly key: string;
  /** Asks the database, in a statement that begins after this is called. */
  readonly ask: () => Promise<T | undefined>;
  /** How many memberships the answer speaks of. */
  readonly weight: (answer: T) => number;
  readonly tags: (answer: T) => readonly string[];
}

/** The answer changes when the group does. */
export const ofGroup = (group: string): string => group;
/** The answer changes when a group does that the user is in afterwards. */
export const ofUser = (user: string): string => `\n${user}`;

/** More groups that moved between two looks: nothing is kept. */
const MOST_MOVED = 100;

interface Fill {
  readonly answer: Promise<unknown>;
  outdated: boolean;
}

/**
 * Keeps answers in memory, and gives none that is older than what the database knew when the question came: a look at what
 * changed, which begins after that, comes before each (decision 38). One look serves all questions that wait for it, and
 * its price does not depend on how many groups there are. Without the database there is no answer.
 */
@Injectable()
export class MembershipCache {
  private readonly kept: KeptAnswers;
  private readonly looks: Rounds<undefined, undefined>;
  /** Questions that the database is being asked, and may be kept. */
  private readonly fills = new Map<string, Fill>();
  /** All that is kept, or will be of a fill, was true at this outlook or later. */
  private outlook: Outlook | undefined;
  private incarnation: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly db: TransactionService,
    private readonly versions: GroupVersionRepository,
    private readonly metrics: Metrics,
  ) {
    this.kept = new KeptAnswers(config.membershipsKept);
    this.looks = new Rounds(async (askers) => {
      await this.look();
      return askers;
    });
  }

  /** `undefined` is an answer too, which is not kept. Throws what `ask` throws, and `database.unavailable`. */
  async answer<T>(question: Question<T>): Promise<T | undefined> {
    const { kind, key } = question;
    if (this.config.membershipsKept === 0) {
      this.metrics.membershipAnswered(kind, 'miss');
      return question.ask();
    }
    if (this.outlook === undefined || this.kept.has(key) || this.fills.has(key)) await this.looks.ask(undefined);
    const found = this.kept.get(key) as T | undefined;
    this.metrics.membershipAnswered(kind, found === undefined ? 'miss' : 'hit');
    // Nothing changed since a fill that is still there began.
    return found ?? ((this.fills.get(key) ?? this.fill(question)).answer as Promise<T | undefined>);
  }

  private fill<T>(question: Question<T>): Fill {
    const { key } = question;
    const fill = { outdated: false, answer: question.ask() };
    this.fills.set(key, fill);
    const end = (answer?: T) => {
      if (fill.outdated) return;
      this.fills.delete(key);
      if (answer === undefined) return;
      this.kept.put(key, { value: answer, weight: question.weight(answer), tags: question.tags(answer) });
      this.metrics.membershipCache(this.kept.weight);
    };
    fill.answer.then(end, () => end());
    return fill;
  }

  private async look(): Promise<void> {
    const since = this.outlook;
    const moved = await this.db.statement((tx) => this.versions.movedSince(tx, since, MOST_MOVED + 1));
    this.forget(moved);
    this.outlook = moved.outlook;
    this.incarnation = moved.incarnation;
  }

  private forget({ incarnation, groups, members }: Moved): void {
    const all = incarnation !== this.incarnation || groups.length > MOST_MOVED;
    if (!all && groups.length === 0) return;
    if (all) this.kept.clear();
    for (const group of groups) this.kept.drop(ofGroup(group));
    for (const user of members) this.kept.drop(ofUser(user));
    // What is on its way may have been read before.
    for (const fill of this.fills.values()) fill.outdated = true;
    this.fills.clear();
    this.metrics.membershipCache(this.kept.weight);
  }
}
