import type { Host } from '../kernel/address.js';

/** What somebody wants a peer to know. Letters of one lane arrive in the order in which they were posted. */
export interface NewLetter {
  readonly to: Host;
  /** Lanes of one peer do not wait for each other. */
  readonly lane: string;
  readonly endpoint: 'notifications' | 'shares';
  /** The notification type, or another word for people and metrics. */
  readonly kind: string;
  /** What the letter is about, in the sender's own terms: it comes back with the answer. Not a secret. */
  readonly subject: string;
  /** Becomes JSON once; these bytes are sent, as often as it takes. May hold secrets. */
  readonly body: object;
  /** Who wants to know how it ended: the name of the worker that takes answers, which is woken. Absent: nobody. */
  readonly answerTo?: string;
}

export type LetterState = 'waiting' | 'delivered' | 'refused' | 'dead';

/** A letter on its way. */
export interface Letter extends Pick<NewLetter, 'endpoint' | 'kind' | 'subject'> {
  readonly id: string;
  readonly sealed: Uint8Array;
  readonly tries: number;
  readonly answerTo?: string;
}

/** What became of one try. */
export interface Outcome {
  readonly letterId: string;
  readonly state: LetterState;
  readonly at: Date;
  readonly status?: number;
  readonly reason?: string;
  /** What the peer answered, where somebody wants to know. */
  readonly answer?: Uint8Array;
}

/** How a letter ended, for who posted it. A dead letter that is tried again may bring a second answer. */
export interface TakenAnswer {
  readonly letterId: string;
  readonly subject: string;
  readonly to: Host;
  readonly outcome: Exclude<LetterState, 'waiting'>;
  /** Of the last answer of the peer; absent when it never answered. */
  readonly status?: number;
  /** JSON as a value, anything else as text; absent when the answer had no body. */
  readonly body?: unknown;
}

/** A letter as it may be shown: never its body. */
export interface LetterFacts {
  readonly id: string;
  readonly peer: Host;
  readonly lane: string;
  readonly kind: string;
  readonly subject: string;
  readonly state: LetterState;
  readonly tries: number;
  readonly postedAt: Date;
  readonly triedAt?: Date;
  readonly status?: number;
  readonly reason?: string;
  readonly answer?: unknown;
}

export interface LetterCount {
  readonly peer: Host;
  readonly state: Exclude<LetterState, 'delivered'>;
  readonly letters: number;
  readonly oldest: Date;
}

/** What a lane begins with. */
export interface LaneHead {
  readonly lane: string;
  readonly depth: number;
  readonly first: LetterFacts;
}
