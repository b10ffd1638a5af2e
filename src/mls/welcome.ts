import {
  joinGroup,
  makePskIndex,
  type ClientState,
  type GroupInfo,
  type KeyPackage,
  type PreSharedKeyID,
  type PrivateKeyPackage,
  type RatchetTree,
  type Welcome,
} from 'ts-mls';
import type { GroupSecrets } from 'ts-mls/groupSecrets.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { accumulatePskSecret } from 'ts-mls/pskIndex.js';
import { ratchetTreeFromExtension } from 'ts-mls/groupInfo.js';
import { decryptGroupInfo, decryptGroupSecrets } from 'ts-mls/welcome.js';
import { toHex } from '../kernel/bytes.js';
import { Fault, isFault } from '../kernel/fault.js';
import { epoch, type Epoch, mlsGroupId, type MlsGroupId } from '../kernel/ids.js';
import { clientConfig } from './client-config.js';
import { unique } from './commit-shape.js';
import { adminsOf, federatedGroupIn } from './federated-group.js';
import { readWelcome } from './mls-message.js';
import { verifySuccession } from './reinit.js';
import { leavesOf } from './roster.js';
import { FEDERATED_GROUP_EXTENSION, SUITE_NAME, type Suite } from './suite.js';

type ResumptionPsk = Extract<PreSharedKeyID, { psktype: 'resumption' }>;

/** The references of the KeyPackages that a Welcome is for, in hex. Throws `codec.malformed`. RFC 9420 section 12.4.3.1 */
export const welcomeRefs = (welcome: Uint8Array): string[] =>
  readWelcome(welcome).secrets.map(({ newMember }) => toHex(newMember));

/** The group, and the last epoch of it, whose place the group of a Welcome takes. */
export interface Origin {
  readonly mlsGroupId: MlsGroupId;
  readonly epoch: Epoch;
}

/**
 * What a Welcome claims to come from: undefined for a group that does not take the place of another one. Throws
 * `codec.malformed`, `welcome.not-ours`, `welcome.unopenable`, and `welcome.psk-not-provided` when it asks for any other
 * key than the resumption PSK of one old group.
 */
export async function welcomeOrigin(
  welcome: Uint8Array,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  suite: Suite,
): Promise<Origin | undefined> {
  const psk = resumed(await openSecrets(readWelcome(welcome), keyPackage, privateKeys, suite));
  return psk && { mlsGroupId: mlsGroupId(psk.pskGroupId), epoch: epoch(psk.pskEpoch) };
}

/**
 * The state that a Welcome gives to the holder of `keyPackage`; the private keys of the KeyPackage have done their work
 * then. With `old` the group takes the place of that one, and must be what its ReInit announced. Throws
 * `codec.malformed`, `welcome.not-ours` when it is for another KeyPackage, `welcome.unopenable` when it was changed on
 * the way, `welcome.no-tree` (OCM-MLS R-107), `welcome.not-federated`, `welcome.not-capable` when the own leaf
 * does not list the extension, the faults of `verifySuccession`, `welcome.invalid` when the
 * signature of the GroupInfo, the tree or a leaf is wrong, and `welcome.roster` for a roster that no
 * group may have.
 */
export async function join(
  welcome: Uint8Array,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  suite: Suite,
  old?: ClientState,
): Promise<ClientState> {
  const message = readWelcome(welcome);
  const secrets = await openSecrets(message, keyPackage, privateKeys, suite);
  const psk = resumed(secrets);
  const groupInfo = await openGroupInfo(message, secrets, suite, old);
  const tree = treeIn(groupInfo);
  if (!federatedGroupIn(groupInfo.groupContext.extensions)) throw new Fault('welcome.not-federated');
  if (!keyPackage.leafNode.capabilities.extensions.includes(FEDERATED_GROUP_EXTENSION)) {
    throw new Fault('welcome.not-capable');
  }
  if (psk && old) verifySuccession({ old, psk, groupInfo, tree });
  const state = await joined(message, keyPackage, privateKeys, suite, old);
  assertRoster(state);
  return state;
}

/** Throws `welcome.not-ours`, `welcome.unopenable`. */
export async function openSecrets(
  welcome: Welcome,
  keyPackage: KeyPackage,
  { initPrivateKey }: PrivateKeyPackage,
  suite: Suite,
): Promise<GroupSecrets> {
  const ref = await makeKeyPackageRef(keyPackage, suite.hash);
  if (welcome.cipherSuite !== SUITE_NAME || !welcome.secrets.some(({ newMember }) => toHex(newMember) === toHex(ref))) {
    throw new Fault('welcome.not-ours');
  }
  return opened(async () => {
    const initKey = await suite.hpke.importPrivateKey(initPrivateKey);
    return decryptGroupSecrets(initKey, ref, welcome, suite.hpke);
  });
}

/** What the Welcome says of the group, before any of it is believed. Throws `welcome.unopenable`. */
export function openGroupInfo(
  welcome: Welcome,
  { joinerSecret, psks }: GroupSecrets,
  suite: Suite,
  old: ClientState | undefined,
): Promise<GroupInfo> {
  return opened(async () => {
    const none = new Uint8Array(suite.kdf.size);
    const [pskSecret] = await accumulatePskSecret(psks, makePskIndex(old, {}), suite, none);
    return decryptGroupInfo(welcome, joinerSecret, pskSecret, suite);
  });
}

async function opened<T>(open: () => Promise<T | undefined>): Promise<T> {
  try {
    const found = await open();
    if (found !== undefined) return found;
  } catch (cause) {
    throw isFault(cause) ? cause : new Fault('welcome.unopenable', {}, cause);
  }
  throw new Fault('welcome.unopenable');
}

function treeIn(groupInfo: GroupInfo): RatchetTree {
  let tree;
  try {
    tree = ratchetTreeFromExtension(groupInfo);
  } catch (cause) {
    throw new Fault('welcome.invalid', {}, cause);
  }
  if (!tree) throw new Fault('welcome.no-tree');
  return tree;
}

/** Throws `welcome.psk-not-provided`. */
function resumed({ psks }: GroupSecrets): ResumptionPsk | undefined {
  const [psk, second] = psks;
  if (!psk) return undefined;
  if (psk.psktype !== 'resumption' || psk.usage !== 'reinit' || second) throw new Fault('welcome.psk-not-provided');
  return psk;
}

async function joined(
  welcome: Welcome,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  suite: Suite,
  old: ClientState | undefined,
): Promise<ClientState> {
  const psks = makePskIndex(old, {});
  try {
    return await joinGroup(welcome, keyPackage, privateKeys, psks, suite, undefined, old, clientConfig());
  } catch (cause) {
    throw new Fault('welcome.invalid', {}, cause);
  }
}

function assertRoster({ groupContext, ratchetTree }: ClientState): void {
  const members = leavesOf(ratchetTree).map(({ address }) => address);
  const admins = adminsOf(federatedGroupIn(groupContext.extensions)!);
  const sound =
    unique(members) && unique(admins) && admins.length > 0 && admins.every((admin) => members.includes(admin));
  if (!sound) throw new Fault('welcome.roster');
}
