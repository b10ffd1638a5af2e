import { expect } from 'vitest';
import type { ClientState, Commit, KeyPackage, LeafNode, PrivateKeyPackage, Proposal, ProposalOrRef } from 'ts-mls';
import { createContentCommitSignature } from 'ts-mls/framedContent.js';
import { createProposal } from 'ts-mls';
import { getOwnLeafNode } from 'ts-mls/clientState.js';
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { ocmAddress, type OcmAddress } from '../../../src/kernel/address.js';
import { Fault, type FaultCode } from '../../../src/kernel/fault.js';
import { advance, buildCommit, createFederatedGroup, join } from '../../../src/mls/epoch.js';
import type { Advanced } from '../../../src/mls/epoch.js';
import type { BuiltCommit, CommitOrder } from '../../../src/mls/commit.js';
import { type GroupView, viewOf } from '../../../src/mls/group-view.js';
import { readKeyPackage } from '../../../src/mls/key-package.js';
import { writeMessage } from '../../../src/mls/mls-message.js';
import { makeKeyPackage } from '../../../src/mls/own-key-package.js';
import { openProposal } from '../../../src/mls/proposal.js';
import { memberAt } from '../../../src/mls/roster.js';
import { type Suite, suiteFrom } from '../../../src/mls/suite.js';
import { TestDice } from '../../support/dice.js';

export const NOW = new Date('2027-01-04T09:00:00Z');
export const address = (name: string): OcmAddress => ocmAddress(`${name}@${name[0]!}.test`);

/** A user with a KeyPackage of the next group that takes it. */
export interface Fellow {
  readonly address: OcmAddress;
  readonly keyPackage: KeyPackage;
  readonly privateKeys: PrivateKeyPackage;
}

export async function fellow(name: string, suite: Suite): Promise<Fellow> {
  const signatureKey = (await suite.signature.keygen()).signKey;
  const made = await makeKeyPackage({ address: address(name), kind: 'single', signatureKey, now: NOW }, suite);
  return { address: made.address, keyPackage: readKeyPackage(made.message), privateKeys: made.privateKeys };
}

/** A federated group, with the states of all its members in one place. */
export class Fellowship {
  private constructor(
    readonly suite: Suite,
    readonly states: Map<OcmAddress, ClientState>,
  ) {}

  /** The first one creates the group and adds the others. Admins are those named, the creator first. */
  static async of(names: readonly string[], admins: readonly string[] = []): Promise<Fellowship> {
    const suite = await suiteFrom(new TestDice(names.join()));
    const [creator, ...others] = await Promise.all(names.map((name) => fellow(name, suite)));
    const groupId = suite.rng.randomBytes(32);
    const state = await createFederatedGroup({ groupId, address: address('lab'), creator: creator! }, suite);
    const group = new Fellowship(suite, new Map([[creator!.address, state]]));
    if (others.length > 0) {
      const set = [creator!.address, ...admins.map(address)];
      await group.commit(names[0]!, { join: others, ...(admins.length > 0 && { admins: set }) });
    }
    return group;
  }

  state(name: string): ClientState {
    return this.states.get(address(name))!;
  }

  view(name: string): GroupView {
    return viewOf(this.state(name));
  }

  leaf(name: string): number {
    return memberAt([...this.states.values()].map(viewOf)[0]!.members, address(name))!.leafIndex;
  }

  build(name: string, order: Partial<CommitOrder> = {}): Promise<BuiltCommit> {
    return buildCommit(this.state(name), { add: [], remove: [], proposals: [], now: NOW, ...order }, this.suite);
  }

  /** Builds a Commit and takes all others along, and in. */
  async commit(
    name: string,
    { join: joining = [], ...order }: Partial<CommitOrder> & { readonly join?: readonly Fellow[] } = {},
  ): Promise<BuiltCommit> {
    const made = await this.build(name, { add: joining.map(({ keyPackage }) => keyPackage), ...order });
    for (const [other, state] of this.states) {
      if (other === address(name)) this.states.set(other, made.next);
      else await this.take(other, state, made);
    }
    for (const { address: newcomer, keyPackage, privateKeys } of joining) {
      this.states.set(newcomer, await join(made.welcome!, keyPackage, privateKeys, this.suite));
    }
    return made;
  }

  private async take(other: OcmAddress, state: ClientState, made: BuiltCommit): Promise<void> {
    const advanced = await advance(state, made, this.suite);
    if (advanced.selfRemoved) this.states.delete(other);
    else this.states.set(other, advanced.state);
  }

  advance(name: string, commit: Uint8Array, proposals: readonly Uint8Array[] = []): Promise<Advanced> {
    return advance(this.state(name), { commit, proposals }, this.suite);
  }

  /** A proposal as the member sends it. */
  async propose(name: string, proposal: Proposal): Promise<Uint8Array> {
    return writeMessage((await createProposal(this.state(name), true, proposal, this.suite)).message);
  }

  forge(name: string, content: Forged): Promise<Uint8Array> {
    return forgeCommit(this.state(name), content, this.suite);
  }

  ownLeaf(name: string): LeafNode {
    return getOwnLeafNode(this.state(name));
  }

  /** How a Commit names a proposal that was sent before. */
  async reference(proposal: Uint8Array): Promise<ProposalOrRef> {
    const [anybody] = this.states.values();
    const { reference } = await openProposal(anybody!, proposal, this.suite);
    return { proposalOrRefType: 'reference', reference };
  }
}

export function forgeCommit(state: ClientState, content: Forged, suite: Suite): Promise<Uint8Array> {
  const path = content.path ? { leafNode: commitLeaf(content.path), nodes: [] } : undefined;
  return signCommit(state, { proposals: [...(content.proposals ?? [])], path }, suite);
}

/** A Commit that is signed and tagged as it must be, whatever it says: only its confirmation tag is made up. */
export async function signCommit(state: ClientState, commit: Commit, suite: Suite): Promise<Uint8Array> {
  const { signature, framedContent } = await createContentCommitSignature(
    state.groupContext,
    'mls_public_message',
    commit,
    { senderType: 'member', leafIndex: state.privatePath.leafIndex },
    new Uint8Array(),
    state.signaturePrivateKey,
    suite.signature,
  );
  const confirmationTag = new Uint8Array(32);
  const auth = { contentType: 'commit', signature, confirmationTag } as const;
  const publicMessage = await protectPublicMessage(
    state.keySchedule.membershipKey,
    state.groupContext,
    { wireformat: 'mls_public_message', content: framedContent, auth },
    suite,
  );
  return writeMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
}

export interface Forged {
  readonly proposals?: readonly ProposalOrRef[];
  /** The leaf that the UpdatePath brings; none for a Commit without a path. */
  readonly path?: LeafNode;
}

const commitLeaf = (leaf: LeafNode) => ({
  ...leaf,
  leafNodeSource: 'commit' as const,
  parentHash: new Uint8Array(),
});

export const byValue = (...proposals: readonly Proposal[]): ProposalOrRef[] =>
  proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal }));

/** Expects the fault, and gives its facts. */
export async function expectFault(
  promise: Promise<unknown>,
  code: FaultCode,
): Promise<Readonly<Record<string, unknown>>> {
  const error: unknown = await promise.then(
    () => 'nothing was refused',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw error instanceof Error ? error : new Error(String(error));
  expect(error.code, String(error.cause)).toBe(code);
  return error.facts;
}

export const suiteOf = (seed: string): Promise<Suite> => suiteFrom(new TestDice(seed));
