import { z } from 'zod';
import { type Host, hostOf, type OcmAddress } from '../kernel/address.js';
import { fromUtf8, toBase64url } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { epoch, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import { contentField, groupIdField, hostField } from '../ocm/wire-body.js';

/** A Commit as a member server gives it to one that missed it. */
export interface MissedCommit {
  /** Who arbitrated it (D-14): the owner server, or one that took over. */
  readonly arbiter: Host;
  /** Verbatim, in the order of the Commit's references. OCM-MLS R-116 */
  readonly proposals: readonly Uint8Array[];
  readonly content: Uint8Array;
}

export interface MissedCommits {
  /** Where the group stands at the server that answers. */
  readonly epoch: Epoch;
  /** From the epoch that was asked for on, one by one; not all when they are many, none when they are not kept. */
  readonly commits: readonly MissedCommit[];
}

/** What a Commit of the log did to the roster, and how much there is to send of it. */
export interface RosterStep {
  readonly epoch: Epoch;
  readonly added: readonly OcmAddress[];
  readonly removed: readonly OcmAddress[];
  readonly bytes: number;
}

/** One answer. The first Commit goes out whatever its size. */
const MOST_COMMITS = 50;
const MOST_BYTES = 2 * 1024 * 1024;
/** What is read of another's answer. */
const MOST_PROPOSALS = 1000;

/**
 * How many of the Commits from `steps` on a server may have: those that were made while a user of it was a member, the
 * one that removed the last of them among these. Undefined when it had none in the first of these epochs. D-11
 * @param members the roster behind the last step
 */
export function commitsFor(
  server: Host,
  members: readonly OcmAddress[],
  steps: readonly RosterStep[],
): number | undefined {
  const roster = new Set(members);
  const isMember = () => [...roster].some((address) => hostOf(address) === server);
  if (steps.length === 0) return isMember() ? 0 : undefined;
  let count = 0;
  for (const { added, removed } of steps.toReversed()) {
    // A member who rejoined stands in both.
    for (const address of added) roster.delete(address);
    for (const address of removed) roster.add(address);
    count = isMember() ? count + 1 : 0;
  }
  return count === 0 ? undefined : count;
}

/** How many of them fit one answer. */
export function commitsThatFit(steps: readonly RosterStep[]): number {
  let bytes = 0;
  const end = steps.findIndex((step, at) => at >= MOST_COMMITS || ((bytes += step.bytes) > MOST_BYTES && at > 0));
  return end === -1 ? steps.length : end;
}

/** The body of the endpoint `mls-commits`. */
export const missedCommitsAnswer = (mlsGroupId: MlsGroupId, { epoch: at, commits }: MissedCommits) => ({
  mlsGroupId,
  epoch: at,
  commits: commits.map(({ arbiter, proposals, content }) => ({
    arbiter,
    proposals: proposals.map(toBase64url),
    content: toBase64url(content),
  })),
});

const answer = z.object({
  mlsGroupId: groupIdField,
  epoch: z.int().nonnegative(),
  commits: z
    .array(
      z.object({
        arbiter: hostField,
        proposals: z.array(contentField).max(MOST_PROPOSALS),
        content: contentField,
      }),
    )
    .max(MOST_COMMITS),
});

/** Throws `commits.answer-malformed` for another shape, or the answer to another question. The Commits are unchecked. */
export function parseMissedCommits(body: Uint8Array, mlsGroupId: MlsGroupId): MissedCommits {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(body));
  } catch (cause) {
    throw new Fault('commits.answer-malformed', { what: 'JSON' }, cause);
  }
  const parsed = answer.safeParse(json);
  if (!parsed.success) throw new Fault('commits.answer-malformed', { at: parsed.error.issues[0]?.path.join('.') });
  if (parsed.data.mlsGroupId !== mlsGroupId) throw new Fault('commits.answer-malformed', { at: 'mlsGroupId' });
  return { epoch: epoch(parsed.data.epoch), commits: parsed.data.commits };
}
