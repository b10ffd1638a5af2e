import { readdirSync, readFileSync } from 'node:fs';

/** The state of a group at one epoch, as the other implementation has it. */
export interface StoryState {
  readonly epoch: number;
  readonly epoch_authenticator: string;
  readonly tree_hash: string;
  readonly group_key: string;
  readonly extension: string | null;
  /** By leaf; null is a blank one. */
  readonly members: readonly (string | null)[];
}

export interface StoryEpoch extends StoryState {
  readonly proposals: readonly string[];
  readonly commit: string;
  readonly committer: string;
  readonly expect: 'apply' | 'removed' | 'refuse';
  readonly violation?: string;
  readonly rule?: string;
}

/** A history of a group that a passive member lived through. Its format is told in `test/vectors/README.md`. */
export interface Story {
  readonly name: string;
  readonly passive: {
    readonly identity: string;
    readonly key_package: string;
    readonly init_priv: string;
    readonly encryption_priv: string;
    readonly signature_priv: string;
  };
  readonly welcome: string;
  readonly after_join: StoryState;
  readonly epochs: readonly StoryEpoch[];
  readonly application?: readonly {
    readonly epoch: number;
    readonly sender: string;
    readonly generation: number;
    readonly private_message: string;
    readonly plaintext: string;
  }[];
}

const FOLDER = new URL('../../vectors/', import.meta.url);

export const stories = (): Story[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Story);

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
