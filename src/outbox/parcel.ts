import type { HttpAnswer } from '../kernel/network.js';
import { answerBody, answerCode, ownCode, speaksOcm } from './answer.js';
import { retryAfterMs } from './back-off.js';

/** What came back: an answer, or nothing that could be read as one. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  | { readonly kind: 'silence'; readonly reason: string }
  /** The letter could not even be sent, and not for the peer's sake. */
  | { readonly kind: 'unsent'; readonly reason: string };

/**
 * Who is to wait. `peer`: nothing is learnt about the letter, all lanes of the peer wait. `letter`: the peer is well,
 * this lane waits. `both`: it cannot be told, so the lane waits, and the peer until another lane finds it well.
 */
export type Blame = 'peer' | 'letter' | 'both';

export type Ruling =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unsupported'; readonly reason: string }
  | { readonly kind: 'again' | 'dead'; readonly blame: Blame; readonly reason: string; readonly retryAfterMs: number };

export interface Patience {
  /** Tries of this letter so far, this one included. */
  readonly tries: number;
  /** Failures of the peer in a row so far, this one not included. */
  readonly peerFailures: number;
  readonly mostTries: number;
}

/**
 * What an answer or a silence means for a letter. A refusal ends the letter and the lane goes on; what may pass is tried
 * again; a letter that was tried as often as allowed, or whose peer failed as often in a row, is dead: order forbids to
 * pass it by, so its lane stops. OCM core sections 5.5 and 6, D-09, D-22a
 */
export function judge(reply: Reply, at: Date, { tries, peerFailures, mostTries }: Patience): Ruling {
  const ruling = meaning(reply, at);
  // Who asks for patience takes it later: nothing of that is held against a letter, however long it lasts.
  if (ruling.kind !== 'again' || asksForPatience(reply)) return ruling;
  const spent = tries >= mostTries || (ruling.blame !== 'letter' && peerFailures + 1 >= mostTries);
  return spent ? { ...ruling, kind: 'dead' } : ruling;
}

function meaning(reply: Reply, at: Date): Ruling {
  if (reply.kind === 'silence') return { kind: 'again', blame: 'peer', reason: reply.reason, retryAfterMs: 0 };
  if (reply.kind === 'unsent') return { kind: 'again', blame: 'letter', reason: reply.reason, retryAfterMs: 0 };
  const { status, headers, body } = reply.answer;
  const said = answerBody(body);
  const code = answerCode(said);
  const reason = code === undefined ? `http ${status}` : `http ${status} ${code}`;
  const again = (blame: Blame): Ruling => ({
    kind: 'again',
    blame,
    reason,
    retryAfterMs: retryAfterMs(headers['retry-after'], at),
  });
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  // "Not supported here" is about the server, which becomes another one when its discovery document changes; unless it
  // says in our own words what in the letter it does not take: then it takes others.
  if (status === 501) return { kind: isAboutTheLetter(said) ? 'refused' : 'unsupported', reason };
  if (asksForPatience(reply)) return again('peer');
  // The group's Welcome, or the share, may still be under way to a peer that is well.
  if (status === 503 && isAboutTheLetter(said)) return again('letter');
  if (PASSING.has(status) || status >= 500 || status < 400) return again('both');
  // In words of OCM this is an answer about the letter. A bare one comes from whatever stands at the address instead of
  // an OCM server: a proxy whose backend is being exchanged. A Commit must not be lost over that.
  if (ABSENCE.has(status) && !speaksOcm(said)) return again('both');
  return { kind: 'refused', reason };
}

/**
 * 401: its view of our keys may be old, its clock may be off. 408, 425: asked for again by name. 421: the wrong server
 * behind the right address. 423: locked now. What is left of 4xx is definite: the same bytes mean the same to it later
 * (400 malformed, 403 against policy, 409 stale or lost the race, 410 gone, 413 too large, 415 and 422 not understood).
 */
const PASSING = new Set([401, 408, 421, 423, 425]);
const ABSENCE = new Set([404, 405]);

/** Too much at once, or an operator there has to decide about us first. */
const asksForPatience = (reply: Reply): boolean =>
  reply.kind === 'answer' &&
  (reply.answer.status === 429 ||
    (reply.answer.status === 503 && ownCode(answerBody(reply.answer.body)) === 'trust.held'));

/** Codes of ours that are not about what a letter says, but about the server that was to read it. */
const ABOUT_THE_SERVER = /^(database|signature|peer|internal)\b/;

function isAboutTheLetter(said: unknown): boolean {
  const code = ownCode(said);
  return code !== undefined && !ABOUT_THE_SERVER.test(code);
}
