import type { ClientState } from 'ts-mls';
import { addHistoricalReceiverData } from 'ts-mls/clientState.js';
import { verifyConfirmationTag } from 'ts-mls/framedContent.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { leafWidth } from 'ts-mls/treemath.js';
import { wipe } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { openPath } from './follow-leaf.js';
import type { PublicStep } from './public-group.js';
import type { Suite } from './suite.js';

export interface Entered {
  readonly state: ClientState;
  /** Secrets of the old state, to be wiped after the new one is stored. OCM-MLS R-158 */
  readonly spent: readonly Uint8Array[];
}

/**
 * The secret part of a Commit that the public part has let pass. Throws `commit.unopenable` when the path does not open
 * for the leaf, or leads to another epoch than the committer's. RFC 9420 section 12.4.2
 */
export async function enterEpoch(state: ClientState, { message, next }: PublicStep, suite: Suite): Promise<Entered> {
  try {
    const { secrets, commitSecret } = await openPath(state, message.content, next, suite);
    const { groupContext, ratchetTree, confirmationTag } = next;
    const { initSecret } = state.keySchedule;
    const noPsk = new Uint8Array(suite.kdf.size);
    const epoch = await initializeEpoch(initSecret, commitSecret, groupContext, noPsk, suite.kdf);
    const { confirmationKey } = epoch.keySchedule;
    const { confirmedTranscriptHash } = groupContext;
    if (!(await verifyConfirmationTag(confirmationKey, confirmationTag, confirmedTranscriptHash, suite.hash))) {
      throw new Error('the confirmation tag differs');
    }
    const secretTree = await createSecretTree(leafWidth(ratchetTree.length), epoch.encryptionSecret, suite.kdf);
    const [historicalReceiverData, outdated] = addHistoricalReceiverData(state);
    wipe(commitSecret, epoch.joinerSecret, epoch.encryptionSecret);
    const { keySchedule } = epoch;
    return {
      state: { ...state, ...next, ...secrets, keySchedule, secretTree, historicalReceiverData, unappliedProposals: {} },
      spent: [...outdated, initSecret],
    };
  } catch (cause) {
    throw new Fault('commit.unopenable', {}, cause);
  }
}
