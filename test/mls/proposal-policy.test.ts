import type { Proposal } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { readProposal } from '../../src/mls/epoch.js';
import { expectFault, fellow, Fellowship } from './support/fellows.js';
import { admins, exactly, extensions, groupOf, LABEL, named, standing } from './support/refusals.js';

/** alice and bob are admins; dave, who is not, proposes, and alice's server reads it. */
describe('what a member proposes is judged by the Commit that would come of it', () => {
  let group: Fellowship;
  beforeAll(async () => {
    group = await standing();
  });

  const read = async (proposal: Proposal, of = group) =>
    readProposal(of.state('alice'), await of.propose('dave', proposal), of.suite);
  const remove = (name: string, of = group): Proposal => ({
    proposalType: 'remove',
    remove: { removed: of.leaf(name) },
  });
  const add = async (name: string, identity?: string): Promise<Proposal> => {
    const { keyPackage } = await fellow(name, group.suite);
    const credential = named(keyPackage.leafNode, identity ?? `${name}@${name[0]!}.test`).credential;
    return {
      proposalType: 'add',
      add: { keyPackage: { ...keyPackage, leafNode: { ...keyPackage.leafNode, credential } } },
    };
  };
  const reinit = (label: string): Proposal => ({
    proposalType: 'reinit',
    reinit: {
      groupId: new Uint8Array(32),
      version: 'mls10',
      cipherSuite: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
      extensions: [groupOf(label, 'alice', 'bob')],
    },
  });

  test('what an admin may approve is taken', async () => {
    const fine = [await add('erin'), remove('carol'), remove('alice'), admins('alice', 'bob', 'dave'), admins('bob')];
    for (const proposal of fine) expect(await read(proposal)).toMatchObject({ sender: 'dave@d.test' });
  });

  test('R-064 nothing that would take the last admin away', async () => {
    const single = await Fellowship.of(['alice', 'bob', 'dave']);
    await expectFault(read(remove('alice', single), single), 'proposal.last-admin');
    await expectFault(read(admins(), single), 'proposal.last-admin');
    await expectFault(read(admins()), 'proposal.last-admin');
    expect(await read(remove('bob', single), single)).toMatchObject({ kind: 'remove' });
  });

  test.each<[string, string, () => Proposal | Promise<Proposal>]>([
    ['R-003', 'commit.second-leaf', () => add('carol')],
    ['R-010', 'commit.credential-malformed', () => add('erin', 'nobody')],
    ['R-068', 'commit.extension-dropped', () => extensions()],
    ['R-069', 'commit.label-moved', () => extensions(groupOf('lab@m.test', 'alice', 'bob'))],
    ['R-082', 'commit.extensions-changed', () => exactly(groupOf(LABEL, 'alice', 'bob', 'dave'))],
    ['R-071', 'commit.admins-reordered', () => admins('bob', 'alice')],
    ['R-070', 'commit.admin-not-appended', () => admins('dave', 'alice', 'bob')],
    ['R-080', 'commit.ghost-admin', () => admins('alice', 'bob', 'erin')],
    ['R-143', 'commit.reinit-moves-label', () => reinit('lab@m.test')],
    ['section 7.2', 'commit.proposal-not-provided', () => ({ proposalType: 0xf123, proposalData: new Uint8Array() })],
  ])('%s nothing that would be refused as %s', async (check, fault, proposal) => {
    const facts = await expectFault(read(await proposal()), 'proposal.breaks-policy');
    expect(facts).toMatchObject({ check, fault });
  });
});
