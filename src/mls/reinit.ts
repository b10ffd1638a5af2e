import type { ClientState, GroupInfo, PreSharedKeyID, Proposal, RatchetTree, Reinit } from 'ts-mls';
import type { OcmAddress } from '../kernel/address.js';
import { sameBytes } from '../kernel/bytes.js';
import { Fault, type FaultCode } from '../kernel/fault.js';
import { unique } from './commit-shape.js';
import { adminsOf, federatedGroupIn } from './federated-group.js';
import { type Leaf, leavesOf, membersOf } from './roster.js';
import { SUITE_NAME } from './suite.js';

/** Announces that the group goes on under another `group_id`; all else of it stays as it is. OCM-MLS R-143 */
export const reinitAs = ({ groupContext }: ClientState, groupId: Uint8Array): Proposal => ({
  proposalType: 'reinit',
  reinit: {
    groupId,
    version: groupContext.version,
    cipherSuite: groupContext.cipherSuite,
    extensions: groupContext.extensions,
  },
});

/** What the last Commit of the group announced. Throws `group.not-suspended`. */
export function announced({ groupActiveState: state }: ClientState): Reinit {
  if (state.kind !== 'suspendedPendingReinit') throw new Fault('group.not-suspended', { kind: state.kind });
  return state.reinit;
}

/**
 * Whether the group that a ReInit announces could be joined by all of its members: of a version and suite that we have,
 * with extensions that they all understand, and with admins who are among them.
 */
export function isJoinable({ version, cipherSuite, extensions }: Reinit, members: readonly Leaf[]): boolean {
  const group = federatedGroupIn(extensions);
  const admins = group ? adminsOf(group) : [];
  const types = extensions.map(({ extensionType }) => extensionType);
  const understood = (type: number) => members.every(({ node }) => node.capabilities.extensions.includes(type));
  return (
    version === 'mls10' &&
    cipherSuite === SUITE_NAME &&
    unique(types) &&
    types.every((type) => type === 'required_capabilities' || (typeof type === 'number' && understood(type))) &&
    admins.length > 0 &&
    unique(admins) &&
    admins.every((admin) => members.some(({ address }) => address === admin))
  );
}

/** A group that claims to take the place of another one. */
export interface Succession {
  /** As its last Commit left it. */
  readonly old: ClientState;
  /** The resumption PSK that the Welcome names. */
  readonly psk: Extract<PreSharedKeyID, { psktype: 'resumption' }>;
  readonly groupInfo: GroupInfo;
  readonly tree: RatchetTree;
}

interface SuccessionCheck {
  readonly id: string;
  readonly fault: FaultCode;
  /** May rely on all checks above it. */
  holds(succession: Succession): boolean;
}

/** What must hold before a successor is joined. OCM-MLS section 7.7, RFC 9420 sections 11.2 and 12.4.3.1 */
export const SUCCESSION_CHECKS: readonly SuccessionCheck[] = [
  {
    id: 'R-150', // the last Commit of the old group holds the ReInit, and everything is as it announced
    fault: 'welcome.not-announced',
    holds({ old: { groupActiveState: state, groupContext: last }, psk, groupInfo: { groupContext: next } }) {
      if (state.kind !== 'suspendedPendingReinit') return false;
      const { groupId, version, cipherSuite, extensions } = state.reinit;
      return (
        psk.usage === 'reinit' &&
        sameBytes(psk.pskGroupId, last.groupId) &&
        psk.pskEpoch === last.epoch &&
        sameBytes(next.groupId, groupId) &&
        next.epoch === 1n &&
        next.version === version &&
        next.cipherSuite === cipherSuite &&
        next.extensions.length === extensions.length &&
        next.extensions.every(
          ({ extensionType, extensionData }, at) =>
            extensionType === extensions[at]!.extensionType && sameBytes(extensionData, extensions[at]!.extensionData),
        )
      );
    },
  },
  {
    id: 'R-151',
    fault: 'welcome.moves-label',
    holds: ({ old, groupInfo }) =>
      federatedGroupIn(groupInfo.groupContext.extensions)?.groupAddress ===
      federatedGroupIn(old.groupContext.extensions)!.groupAddress,
  },
  {
    id: 'R-149', // in its first epoch a group was made by its first leaf, and nobody else could invite
    fault: 'welcome.not-by-admin',
    holds: ({ old, groupInfo, tree }) =>
      groupInfo.signer === 0 &&
      adminsOf(federatedGroupIn(old.groupContext.extensions)!).some((admin) => admin === creatorOf(tree)),
  },
  {
    id: 'R-147', // approved is what the old group was, and nobody more
    fault: 'welcome.members-differ',
    holds({ old, tree }) {
      const [before, after] = [membersOf(old.ratchetTree), membersOf(tree)];
      const stays = new Set(after.map(({ address }) => address));
      return after.length === before.length && before.every(({ address }) => stays.has(address));
    },
  },
];

/** Throws the fault of the first check that does not hold, with the rule as `check` among its facts. */
export function verifySuccession(succession: Succession): void {
  const broken = SUCCESSION_CHECKS.find((check) => !check.holds(succession));
  if (broken) throw new Fault(broken.fault, { check: broken.id, creator: creatorOf(succession.tree) });
}

/** Who made a group that is in its first epoch. */
export const creatorOf = (tree: RatchetTree): OcmAddress | undefined =>
  leavesOf(tree).find(({ leafIndex }) => leafIndex === 0)?.address;
