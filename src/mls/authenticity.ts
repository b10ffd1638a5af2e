import type { ClientState, PublicMessage } from 'ts-mls';
import { verifyMembershipTag } from 'ts-mls/authenticatedContent.js';
import { toTbs, verifyFramedContentSignature } from 'ts-mls/framedContent.js';
import { findSignaturePublicKey } from 'ts-mls/publicMessage.js';
import type { Suite } from './suite.js';

type Epoch = Pick<ClientState, 'groupContext' | 'ratchetTree'>;
const FRAME = 'mls_public_message';

/** Whether the leaf that a handshake message names as its sender signed it, in this epoch. OCM-MLS R-099 */
export async function isSigned({ groupContext, ratchetTree }: Epoch, message: PublicMessage, suite: Suite) {
  const { content, auth } = message;
  try {
    const key = findSignaturePublicKey(ratchetTree, groupContext, content);
    return await verifyFramedContentSignature(key, FRAME, content, auth, groupContext, suite.signature);
  } catch {
    return false; // no such leaf, or a key that is none
  }
}

/** Whether it comes from somebody who holds the secrets of the epoch. OCM-MLS R-098 */
export async function isTagged(
  state: Pick<ClientState, 'groupContext' | 'keySchedule'>,
  message: PublicMessage,
  suite: Suite,
) {
  if (message.senderType !== 'member') return true;
  const { content, auth, membershipTag } = message;
  const framed = { contentTbs: toTbs(content, FRAME, state.groupContext), auth };
  return verifyMembershipTag(state.keySchedule.membershipKey, framed, membershipTag, suite.hash);
}
