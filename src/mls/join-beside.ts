import type { GroupInfo, KeyPackage, PrivateKeyPackage } from 'ts-mls';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import { verifyGroupInfoSignature } from 'ts-mls/groupInfo.js';
import { deriveKeySchedule } from 'ts-mls/keySchedule.js';
import { pathToRoot } from 'ts-mls/pathSecrets.js';
import { findLeafIndex, getSignaturePublicKeyFromLeafIndex } from 'ts-mls/ratchetTree.js';
import { leafToNodeIndex, toLeafIndex } from 'ts-mls/treemath.js';
import { firstCommonAncestor } from 'ts-mls/updatePath.js';
import { sameBytes, wipe } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { keysOfPath } from './follow-leaf.js';
import { readWelcome } from './mls-message.js';
import type { CommonState, LeafState } from './stored-state.js';
import type { Suite } from './suite.js';
import { openGroupInfo, openSecrets } from './welcome.js';

/**
 * The secrets of one more leaf in a group that is here already, in the epoch of the Welcome: its tree was verified with
 * the first leaf, so what is left is to see that the Welcome leads into that very epoch, and to open what it seals for
 * this leaf. Undefined when it leads elsewhere, which `join` has to judge. Throws `codec.malformed`, `welcome.not-ours`,
 * `welcome.unopenable`, and `welcome.invalid` for a path that is not that of the tree. RFC 9420 section 12.4.3.1
 */
export async function joinBeside(
  here: CommonState,
  welcome: Uint8Array,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  suite: Suite,
): Promise<LeafState | undefined> {
  const message = readWelcome(welcome);
  const secrets = await openSecrets(message, keyPackage, privateKeys, suite);
  if (secrets.psks.length > 0) return undefined;
  const groupInfo = await openGroupInfo(message, secrets, suite, undefined);
  const { groupContext, signer } = groupInfo;
  if (!sameBytes(encodeGroupContext(groupContext), encodeGroupContext(here.groupContext))) return undefined;
  const own = findLeafIndex(here.ratchetTree, keyPackage.leafNode);
  if (own === undefined) return undefined;
  if (!(await isSigned(groupInfo, here, suite))) throw new Fault('welcome.invalid');
  const noPsk = new Uint8Array(suite.kdf.size);
  const [schedule, encryptionSecret] = await deriveKeySchedule(secrets.joinerSecret, noPsk, groupContext, suite.kdf);
  wipe(encryptionSecret, secrets.joinerSecret);
  if (!sameBytes(schedule.epochAuthenticator, here.keySchedule.epochAuthenticator)) return undefined;
  const leaf = { [leafToNodeIndex(own)]: privateKeys.hpkePrivateKey };
  const { signaturePrivateKey } = privateKeys;
  if (secrets.pathSecret === undefined)
    return { privatePath: { leafIndex: own, privateKeys: leaf }, signaturePrivateKey };
  try {
    const { ratchetTree } = here;
    const ancestor = firstCommonAncestor(ratchetTree, own, toLeafIndex(signer));
    const path = await pathToRoot(ratchetTree, ancestor, secrets.pathSecret, suite.kdf);
    const keys = { ...(await keysOfPath(ratchetTree, path, suite)), ...leaf };
    return { privatePath: { leafIndex: own, privateKeys: keys }, signaturePrivateKey };
  } catch (cause) {
    throw new Fault('welcome.invalid', {}, cause);
  }
}

/** OCM-MLS R-221 */
async function isSigned(groupInfo: GroupInfo, { ratchetTree }: CommonState, { signature }: Suite): Promise<boolean> {
  try {
    const key = getSignaturePublicKeyFromLeafIndex(ratchetTree, toLeafIndex(groupInfo.signer));
    return await verifyGroupInfoSignature(groupInfo, key, signature);
  } catch {
    return false; // no such leaf
  }
}
