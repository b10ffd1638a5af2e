import type { Extension, LeafNode, Proposal } from 'ts-mls';
import type { FaultCode } from '../../../src/kernel/fault.js';
import { utf8 } from '../../../src/kernel/bytes.js';
import { federatedGroupExtension, REQUIRED_CAPABILITIES, written } from '../../../src/mls/federated-group.js';
import { COMMIT_CHECKS } from '../../../src/mls/commit-policy.js';
import { address, expectFault, Fellowship, type Forged } from './fellows.js';

/** alice and bob are admins; carol and dave are not, and dave is the one who judges. */
export const standing = (): Promise<Fellowship> => Fellowship.of(['alice', 'bob', 'carol', 'dave'], ['bob']);

export const LABEL = 'lab@l.test';

export const groupOf = (label: string, ...admins: string[]): Extension =>
  federatedGroupExtension({ groupAddress: written(label), admins: admins.map((name) => written(address(name))) });

/** A proposal for a new list of extensions: the required capabilities and what is given. */
export const extensions = (...list: Extension[]): Proposal => ({
  proposalType: 'group_context_extensions',
  groupContextExtensions: { extensions: [REQUIRED_CAPABILITIES, ...list] },
});

export const exactly = (...list: Extension[]): Proposal => ({
  proposalType: 'group_context_extensions',
  groupContextExtensions: { extensions: list },
});

export const admins = (...names: string[]): Proposal => extensions(groupOf(LABEL, ...names));

export const named = (leaf: LeafNode, identity: string): LeafNode => ({
  ...leaf,
  credential: { credentialType: 'basic', identity: utf8(identity) },
});

/** dave receives the Commit: it must be refused with the fault, for the rule, and leave the state as it was. */
export async function refuses(
  group: Fellowship,
  by: string,
  forged: Forged & { readonly carried?: readonly Uint8Array[] },
  code: FaultCode,
): Promise<void> {
  const before = group.view('dave');
  const { check } = await expectFault(group.advance('dave', await group.forge(by, forged), forged.carried), code);
  const { id } = COMMIT_CHECKS.find(({ fault }) => fault === code)!;
  if (check !== id) throw new Error(`refused for ${String(check)}, not for ${id}`);
  if (JSON.stringify(group.view('dave')) !== JSON.stringify(before)) throw new Error('the state was changed');
}

/** The policy finds nothing wrong with it: the made-up path, or else the confirmation tag, is where it ends. */
export async function passes(
  group: Fellowship,
  by: string,
  forged: Forged & { readonly carried?: readonly Uint8Array[] },
): Promise<void> {
  const end = forged.path ? 'commit.invalid' : 'commit.unopenable';
  await expectFault(group.advance('dave', await group.forge(by, forged), forged.carried), end);
}
