/**
 * Why a file is to have a new key: a user was removed from a group with access (OCM-MLS R-192); it may be, since epochs passed
 * that were not seen here; a share of it ended, or it
 * is shared again after all had ended; its key is old; somebody asked for it.
 */
export const ROTATION_CAUSES = [
  'member-removed',
  'epochs-missed',
  'share-ended',
  'shared-again',
  'age',
  'asked',
] as const;
export type RotationCause = (typeof ROTATION_CAUSES)[number];

/**
 * `due`: the file platform is to begin; `under-way`: it encrypts the file anew; `sending`: the new key is the one in use,
 * and not every group has it; `done`: all have it, or get it as soon as something can be sent to them.
 */
export const ROTATION_STATES = ['due', 'under-way', 'sending', 'done'] as const;
export type RotationState = (typeof ROTATION_STATES)[number];

/** The way of a file to its next key. There is one for each version of the key, so there are never two at once. */
export interface Rotation {
  readonly resourceId: string;
  /** Of the new key. */
  readonly version: number;
  readonly cause: RotationCause;
  readonly state: RotationState;
  /** How much of the file was encrypted anew, as the file platform says. */
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
  readonly requestedAt: Date;
  readonly begunAt: Date | null;
  readonly finishedAt: Date | null;
}

/** It may go back: somebody wrote meanwhile, and the file platform began again. */
export const withProgress = (rotation: Rotation, bytesDone: number, bytesTotal: number): Rotation => ({
  ...rotation,
  bytesDone: Math.min(bytesDone, bytesTotal),
  bytesTotal,
});
