import { z } from 'zod';
import type { LetterCount, LetterFacts } from './letter.js';
import type { PeerHealth } from './peer-health.js';

const time = z.iso.datetime();

const peerShape = {
  peer: z.string(),
  state: z.enum(['healthy', 'failing', 'unsupported', 'withheld']),
  since: time,
  failures: z.int().optional(),
  nextTryAt: time.optional(),
  reason: z.string().optional(),
  waiting: z.int(),
  dead: z.int(),
  refused: z.int(),
  oldestPostedAt: time.optional(),
};
const letterShape = {
  id: z.uuid(),
  peer: z.string(),
  lane: z.string(),
  kind: z.string(),
  subject: z.string(),
  state: z.enum(['waiting', 'delivered', 'refused', 'dead']),
  tries: z.int(),
  postedAt: time,
  triedAt: time.optional(),
  status: z.int().optional(),
  reason: z.string().optional(),
  answer: z.unknown().optional(),
};
const laneShape = {
  lane: z.string(),
  state: z.enum(['sending', 'waiting', 'stopped']),
  depth: z.int(),
  nextTryAt: time.optional(),
  oldest: z.object(letterShape),
};

const failingPeer = {
  peer: 'othercloud.example.org',
  state: 'failing' as const,
  since: '2026-03-01T10:00:00.000Z',
  failures: 7,
  nextTryAt: '2026-03-01T12:02:08.000Z',
  reason: 'peer.timeout',
  waiting: 3,
  dead: 0,
  refused: 1,
  oldestPostedAt: '2026-03-01T10:00:00.000Z',
};
const waitingLetter = {
  id: '0b7e1f4e-6a0c-4c5e-9d0a-3f6f2f6f1c11',
  peer: 'othercloud.example.org',
  lane: 'mO4Qy0aZ1mS5mUe3bqkV0w3nqkq1m0a7xk0b3kq2m5w',
  kind: 'MLS_COMMIT',
  subject: '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9',
  state: 'waiting' as const,
  tries: 7,
  postedAt: '2026-03-01T10:00:00.000Z',
  triedAt: '2026-03-01T12:00:00.000Z',
  reason: 'peer.timeout',
};
const refusedLetter = {
  ...waitingLetter,
  id: '7f1d2c1e-51b0-4c8e-8f43-6f0f1f2a9d10',
  state: 'refused' as const,
  tries: 1,
  status: 403,
  reason: 'http 403 commit.not-admin',
  answer: { message: 'COMMIT_NOT_ADMIN', code: 'commit.not-admin' },
};

export const peersAnswer = z
  .object({ peers: z.array(z.object(peerShape)) })
  .meta({ examples: [{ peers: [failingPeer] }] });
export const peerAnswer = z
  .object({ ...peerShape, lanes: z.array(z.object(laneShape)), letters: z.array(z.object(letterShape)) })
  .meta({
    examples: [
      {
        ...failingPeer,
        lanes: [{ lane: waitingLetter.lane, state: 'waiting', depth: 3, oldest: waitingLetter }],
        letters: [refusedLetter],
      },
    ],
  });
export const letterAnswer = z.object(letterShape).meta({ examples: [refusedLetter] });
export const triedAgain = z.object({ lanes: z.int() }).meta({ examples: [{ lanes: 2 }] });

type Shown<T extends z.ZodType> = z.input<T>;

export function showPeer(
  host: string,
  health: PeerHealth,
  counts: readonly LetterCount[],
): Shown<typeof peersAnswer>['peers'][number] {
  const of = (state: LetterCount['state']) => counts.find((count) => count.state === state)?.letters ?? 0;
  const oldest = counts.filter(({ state }) => state !== 'refused').map((count) => count.oldest.toISOString());
  return {
    peer: host,
    state: health.state,
    since: health.since.toISOString(),
    ...(health.state === 'failing' ? { failures: health.failures } : {}),
    ...(health.state === 'healthy' ? {} : { nextTryAt: health.nextTryAt.toISOString(), reason: health.reason }),
    waiting: of('waiting'),
    dead: of('dead'),
    refused: of('refused'),
    ...(oldest.length > 0 ? { oldestPostedAt: oldest.sort()[0] } : {}),
  };
}

export const showLetter = ({ postedAt, triedAt, ...facts }: LetterFacts): Shown<typeof letterAnswer> => ({
  ...facts,
  postedAt: postedAt.toISOString(),
  ...(triedAt ? { triedAt: triedAt.toISOString() } : {}),
});

interface LaneFacts {
  readonly lane: string;
  readonly depth: number;
  readonly first: LetterFacts;
  readonly state: { readonly dueAt: Date | null; readonly stoppedAt: Date | null; readonly leasedUntil: Date | null };
}

/** `sending`: a courier has the lane now. */
export function showLane(
  { lane, depth, first, state }: LaneFacts,
  at: Date,
): Shown<typeof peerAnswer>['lanes'][number] {
  const { dueAt, stoppedAt, leasedUntil } = state;
  const sending = leasedUntil !== null && leasedUntil > at;
  return {
    lane,
    state: stoppedAt !== null ? 'stopped' : sending ? 'sending' : 'waiting',
    depth,
    ...(dueAt !== null && dueAt > at ? { nextTryAt: dueAt.toISOString() } : {}),
    oldest: showLetter(first),
  };
}
