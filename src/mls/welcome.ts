import {
  emptyPskIndex,
  joinGroup,
  type ClientState,
  type GroupInfo,
  type KeyPackage,
  type PrivateKeyPackage,
  type Welcome,
} from 'ts-mls';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { decryptGroupInfo, decryptGroupSecrets } from 'ts-mls/welcome.js';
import { toHex } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { clientConfig } from './client-config.js';
import { unique } from './commit-shape.js';
import { adminsOf, federatedGroupIn } from './federated-group.js';
import { readWelcome } from './mls-message.js';
import { leavesOf } from './roster.js';
import { FEDERATED_GROUP_EXTENSION, SUITE_NAME, type Suite } from './suite.js';

/** The references of the KeyPackages that a Welcome is for, in hex. Throws `codec.malformed`. RFC 9420 section 12.4.3.1 */
export const welcomeRefs = (welcome: Uint8Array): string[] =>
  readWelcome(welcome).secrets.map(({ newMember }) => toHex(newMember));

/**
 * The state that a Welcome gives to the holder of `keyPackage`; the private keys of the KeyPackage have done their work
 * then. Throws `codec.malformed`, `welcome.not-ours` when it is for another KeyPackage, `welcome.unopenable` when it was
 * changed on the way, `welcome.no-tree` (OCM-MLS R-107), `welcome.not-federated`, `welcome.not-capable` when
 * the own leaf does not list the extension, `welcome.invalid` when the signature of the GroupInfo, the tree or
 * a leaf is wrong, and `welcome.roster` for a roster that no group may have.
 */
export async function join(
  welcome: Uint8Array,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  suite: Suite,
): Promise<ClientState> {
  const message = readWelcome(welcome);
  const { extensions, groupContext } = await openGroupInfo(message, keyPackage, privateKeys, suite);
  if (!extensions.some(({ extensionType }) => extensionType === 'ratchet_tree')) throw new Fault('welcome.no-tree');
  if (!federatedGroupIn(groupContext.extensions)) throw new Fault('welcome.not-federated');
  if (!keyPackage.leafNode.capabilities.extensions.includes(FEDERATED_GROUP_EXTENSION)) {
    throw new Fault('welcome.not-capable');
  }
  const state = await joined(message, keyPackage, privateKeys, suite);
  assertRoster(state);
  return state;
}

/** What the Welcome says of the group, before any of it is believed. */
async function openGroupInfo(
  welcome: Welcome,
  keyPackage: KeyPackage,
  { initPrivateKey }: PrivateKeyPackage,
  suite: Suite,
): Promise<GroupInfo> {
  const ref = await makeKeyPackageRef(keyPackage, suite.hash);
  if (welcome.cipherSuite !== SUITE_NAME || !welcome.secrets.some(({ newMember }) => toHex(newMember) === toHex(ref))) {
    throw new Fault('welcome.not-ours');
  }
  try {
    const initKey = await suite.hpke.importPrivateKey(initPrivateKey);
    const secrets = await decryptGroupSecrets(initKey, ref, welcome, suite.hpke);
    const noPsk = new Uint8Array(suite.kdf.size);
    const groupInfo = secrets && (await decryptGroupInfo(welcome, secrets.joinerSecret, noPsk, suite));
    if (groupInfo) return groupInfo;
  } catch (cause) {
    throw new Fault('welcome.unopenable', {}, cause);
  }
  throw new Fault('welcome.unopenable');
}

async function joined(
  welcome: Welcome,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  suite: Suite,
): Promise<ClientState> {
  try {
    return await joinGroup(
      welcome,
      keyPackage,
      privateKeys,
      emptyPskIndex,
      suite,
      undefined,
      undefined,
      clientConfig(),
    );
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
