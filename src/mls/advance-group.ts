import type { ClientState } from 'ts-mls';
import { wipe } from '../kernel/bytes.js';
import { advance, type ReceivedCommit } from './epoch.js';
import { followLeaf } from './follow-leaf.js';
import { groupKey } from './group-key.js';
import type { CommitFacts } from './group-view.js';
import type { LocalGroup, LocalLeaf } from './local-group.js';
import { referencesOf } from './mls-message.js';
import { clientState, type KeyedEpoch, type LeafState } from './stored-state.js';
import type { Suite } from './suite.js';

export interface Advanced {
  /** Without leaves when none of ours is left. */
  readonly next: LocalGroup;
  readonly facts: CommitFacts;
  /** Secrets of the epoch that ended, to be wiped once the next one is stored. */
  readonly spent: readonly Uint8Array[];
}

export const secretsOf = ({ privatePath, signaturePrivateKey }: ClientState): LeafState => ({
  privatePath,
  signaturePrivateKey,
});

/** With the Group Key of the epoch (OCM-MLS R-157); the exporter secret ends here. */
export async function keyed(state: ClientState, suite: Suite): Promise<KeyedEpoch> {
  const key = await groupKey(state, suite);
  wipe(state.keySchedule.exporterSecret);
  return { common: state, groupKey: key };
}

/**
 * A leaf as it stands under a Commit that covers `refs`: when its own Update is among them, with the key that the Update
 * brought, since that is the one that path secrets are sealed to. RFC 9420 section 12.4.2
 */
const under = (refs: ReadonlySet<string>, { privatePath, signaturePrivateKey, update }: LeafState): LeafState => {
  if (!update || !refs.has(update.ref)) return { privatePath, signaturePrivateKey };
  const privateKeys = { ...privatePath.privateKeys, [2 * privatePath.leafIndex]: update.privateKey };
  return { privatePath: { ...privatePath, privateKeys }, signaturePrivateKey };
};

/**
 * Takes all local leaves into the next epoch. The first one judges the Commit and applies it, the others go along; one
 * that is removed stays behind. Throws what `advance` refuses with, and `commit.leaves-apart`.
 */
export async function advanceGroup(group: LocalGroup, messages: ReceivedCommit, suite: Suite): Promise<Advanced> {
  const spent: Uint8Array[] = [];
  const refs = referencesOf(messages.commit);
  let facts: CommitFacts | undefined;
  for (const [at, leaf] of group.leaves.entries()) {
    const step = await advance(clientState(group.common, under(refs, leaf.secrets)), messages, suite);
    spent.push(...step.spent);
    facts = step.facts;
    if (step.selfRemoved) continue;
    const first: LocalLeaf = { address: leaf.address, secrets: secretsOf(step.state) };
    const behind = { ...group, leaves: group.leaves.slice(at + 1) };
    const others = await followAll(behind, messages.commit, step, suite);
    return { next: { ...(await keyed(step.state, suite)), leaves: [first, ...others] }, facts, spent };
  }
  return { next: { ...group, leaves: [] }, facts: facts!, spent };
}

/** The leaves of `group` after a Commit that another one of ours made or applied, without those that it removed. */
export async function followAll(
  group: LocalGroup,
  commit: Uint8Array,
  { state, facts }: { readonly state: KeyedEpoch['common']; readonly facts: CommitFacts },
  suite: Suite,
): Promise<LocalLeaf[]> {
  const staying = group.leaves.filter(({ address }) => !facts.removed.includes(address));
  const refs = referencesOf(commit);
  const followed: LocalLeaf[] = [];
  for (const { address, secrets } of staying) {
    const before = clientState(group.common, under(refs, secrets));
    followed.push({ address, secrets: await followLeaf(before, commit, state, suite) });
  }
  return followed;
}
