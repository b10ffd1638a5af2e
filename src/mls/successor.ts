import {
  createCommit,
  createGroup,
  makePskIndex,
  type ClientState,
  type KeyPackage,
  type PrivateKeyPackage,
} from 'ts-mls';
import type { PreSharedKeyID, Proposal } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { clientConfig } from './client-config.js';
import { addressOf } from './credential.js';
import { adminsOf, requireFederatedGroup } from './federated-group.js';
import { writeWelcome } from './mls-message.js';
import { announced } from './reinit.js';
import { membersOf } from './roster.js';
import type { Suite } from './suite.js';

export interface SuccessorOrder {
  /** An admin of the old group, with a fresh KeyPackage of its own. */
  readonly creator: { readonly keyPackage: KeyPackage; readonly privateKeys: PrivateKeyPackage };
  /** Fresh KeyPackages of all other members, checked by us. They need no approval of their own: OCM-MLS R-147 */
  readonly members: readonly KeyPackage[];
  /** Fresh random bytes for the resumption PSK, as many as the hash has. RFC 9420 section 8.4 */
  readonly nonce: Uint8Array;
  /** Their lifetimes are judged at this time. */
  readonly now: Date;
}

export interface Successor {
  readonly state: ClientState;
  /** One for all members but the creator, with the ratchet tree and the resumption PSK. None when nobody else is there. */
  readonly welcome?: Uint8Array;
}

/**
 * The group that takes the place of `old`: created as the ReInit announced it, and entered by all members with its first
 * Commit, which proves with the resumption PSK that it comes from the old one. The Commit itself is for nobody: all get
 * the Welcome. Throws `group.not-suspended`, `welcome.not-by-admin`, `welcome.members-differ` and `commit.invalid`.
 * OCM-MLS
 */
export async function createSuccessor(
  old: ClientState,
  { creator, members, nonce, now }: SuccessorOrder,
  suite: Suite,
): Promise<Successor> {
  const { groupId, extensions } = announced(old);
  const admin = addressOf(creator.keyPackage.leafNode.credential);
  assertMayCreate(old, admin);
  assertComplete(old, [creator.keyPackage, ...members]);
  const proposals: Proposal[] = [
    ...members.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })),
    { proposalType: 'psk', psk: { preSharedKeyId: resumption(old, nonce) } },
  ];
  try {
    const config = clientConfig(now);
    const first = await createGroup(groupId, creator.keyPackage, creator.privateKeys, extensions, suite, config);
    const { newState, welcome } = await createCommit(
      { state: first, pskIndex: makePskIndex(old, {}), cipherSuite: suite },
      { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals: proposals },
    );
    const state = { ...newState, clientConfig: clientConfig(), historicalReceiverData: new Map() };
    return { state, ...(welcome && { welcome: writeWelcome(welcome) }) };
  } catch (cause) {
    throw new Fault('commit.invalid', {}, cause);
  }
}

function assertMayCreate(old: ClientState, creator: OcmAddress | undefined): void {
  const admins = adminsOf(requireFederatedGroup(old.groupContext.extensions));
  if (!creator || !admins.includes(creator)) throw new Fault('welcome.not-by-admin', { creator });
}

function assertComplete(old: ClientState, keyPackages: readonly KeyPackage[]): void {
  const given = keyPackages.map(({ leafNode }) => addressOf(leafNode.credential));
  const members = membersOf(old.ratchetTree);
  if (given.length !== members.length || members.some(({ address }) => !given.includes(address))) {
    throw new Fault('welcome.members-differ', { given: given.length, members: members.length });
  }
}

/** RFC 9420 section 8.6: the secret of the last epoch, which only its members have. */
const resumption = ({ groupContext }: ClientState, pskNonce: Uint8Array): PreSharedKeyID => ({
  psktype: 'resumption',
  usage: 'reinit',
  pskGroupId: groupContext.groupId,
  pskEpoch: groupContext.epoch,
  pskNonce,
});
