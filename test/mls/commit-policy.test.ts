import { joinGroupExternal, createGroupInfoWithExternalPubAndRatchetTree, type Proposal } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { COMMIT_CHECKS } from '../../src/mls/commit-policy.js';
import { writeMessage } from '../../src/mls/mls-message.js';
import { FEDERATED_GROUP_EXTENSION, SUITE_NAME } from '../../src/mls/suite.js';
import { byValue, expectFault, fellow, type Fellowship } from './support/fellows.js';
import { admins, groupOf, LABEL, named, passes, refuses, standing } from './support/refusals.js';

describe('a Commit is refused before anything of it is applied', () => {
  let group: Fellowship;
  let [alice, bob]: number[] = [];
  beforeAll(async () => {
    group = await standing();
    [alice, bob] = [group.leaf('alice'), group.leaf('bob')];
  });

  const remove = (removed: number): Proposal => ({ proposalType: 'remove', remove: { removed } });
  const add = async (name: string): Promise<Proposal> => ({
    proposalType: 'add',
    add: { keyPackage: (await fellow(name, group.suite)).keyPackage },
  });
  const update = async (name: string): Promise<Proposal> => {
    const leaf = (await fellow(name, group.suite)).keyPackage.leafNode;
    return { proposalType: 'update', update: { leafNode: { ...leaf, leafNodeSource: 'update' } } };
  };

  test('what breaks no rule passes the policy', async () => {
    const path = (await fellow('alice', group.suite)).keyPackage.leafNode;
    await passes(group, 'alice', { path });
    await passes(group, 'alice', { path, proposals: byValue(remove(group.leaf('carol')), await add('erin')) });
    await passes(group, 'alice', { proposals: byValue(await add('erin')) });
  });

  describe('by who made it', () => {
    test('R-054 R-055 R-056 R-057 a Commit by a leaf not named in admins is refused', async () => {
      const path = group.ownLeaf('carol');
      await refuses(group, 'carol', { path }, 'commit.not-admin');
      await refuses(group, 'carol', { path, proposals: byValue(await add('erin')) }, 'commit.not-admin');
      await refuses(group, 'carol', { path, proposals: byValue(remove(alice!)) }, 'commit.not-admin');
    });

    test('R-056 R-076 a member who appoints himself is refused: the admins of the old epoch count', async () => {
      const proposals = byValue(admins('alice', 'bob', 'carol'));
      await refuses(group, 'carol', { path: group.ownLeaf('carol'), proposals }, 'commit.not-admin');
    });

    test('R-073 any admin may commit, not the first alone', async () => {
      const path = (await fellow('bob', group.suite)).keyPackage.leafNode;
      await passes(group, 'bob', { path });
    });

    test('R-141 a ReInit by a leaf not named in admins is refused', async () => {
      const reinit = { groupId: utf8('next'), version: 'mls10', cipherSuite: SUITE_NAME, extensions: [] } as const;
      const proposals = byValue({
        proposalType: 'reinit',
        reinit: { ...reinit, extensions: [groupOf(LABEL, 'alice')] },
      });
      await refuses(group, 'carol', { proposals }, 'commit.not-admin');
    });

    test('R-056 an external Commit is refused: its committer has no leaf', async () => {
      const { keyPackage, privateKeys } = await fellow('erin', group.suite);
      const info = await createGroupInfoWithExternalPubAndRatchetTree(group.state('alice'), [], group.suite);
      const { publicMessage } = await joinGroupExternal(info, keyPackage, privateKeys, false, group.suite);
      const commit = writeMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
      const { check } = await expectFault(group.advance('dave', commit), 'commit.not-admin');
      expect(check).toBe('R-056');
    });
  });

  describe('by what it covers', () => {
    const psk: Proposal = {
      proposalType: 'psk',
      psk: { preSharedKeyId: { psktype: 'external', pskId: utf8('x'), pskNonce: new Uint8Array(32) } },
    };

    test.each<[string, Proposal]>([
      ['a PreSharedKey', psk],
      ['an ExternalInit', { proposalType: 'external_init', externalInit: { kemOutput: new Uint8Array(32) } }],
      ['a proposal of an unknown type', { proposalType: 0xf123, proposalData: utf8('?') }],
    ])('%s has no place in a federated group', async (_, proposal) => {
      const path = group.ownLeaf('alice');
      await refuses(group, 'alice', { path, proposals: byValue(proposal) }, 'commit.proposal-not-provided');
    });

    const reinit = (label: string, ...admins: string[]): Proposal => ({
      proposalType: 'reinit',
      reinit: {
        groupId: utf8('next'),
        version: 'mls10',
        cipherSuite: SUITE_NAME,
        extensions: [admins.length > 0 ? groupOf(label, ...admins) : groupOf(label, 'alice', 'bob')],
      },
    });

    test('R-142 a ReInit that is not alone is refused', async () => {
      const proposals = byValue(reinit(LABEL), await add('erin'));
      await refuses(group, 'alice', { proposals }, 'commit.reinit-not-alone');
    });

    test('R-143 a ReInit that moves the label, or lacks the extension, is refused', async () => {
      await refuses(group, 'alice', { proposals: byValue(reinit('other@l.test')) }, 'commit.reinit-moves-label');
      const bare = { groupId: utf8('next'), version: 'mls10', cipherSuite: SUITE_NAME, extensions: [] } as const;
      const proposals = byValue({ proposalType: 'reinit', reinit: { ...bare, extensions: [] } });
      await refuses(group, 'alice', { proposals }, 'commit.reinit-moves-label');
      await passes(group, 'alice', { proposals: byValue(reinit(LABEL)) });
    });

    test('a ReInit into a group that not all members can join is refused', async () => {
      const ghost = byValue(reinit(LABEL, 'alice', 'erin'));
      await refuses(group, 'alice', { proposals: ghost }, 'commit.reinit-unjoinable');
    });

    test('R-114 an Update by value is refused', async () => {
      const proposals = byValue(await update('alice'));
      await refuses(group, 'alice', { path: group.ownLeaf('alice'), proposals }, 'commit.update-by-value');
    });

    test('R-064 the removal of the last admin is refused', async () => {
      const path = group.ownLeaf('alice');
      const both = byValue(remove(alice!), remove(bob!), admins());
      await refuses(group, 'alice', { path, proposals: both }, 'commit.last-admin');
    });

    test('R-067 a Commit that removes its own committer is refused', async () => {
      const proposals = byValue(remove(alice!), admins('bob'));
      await refuses(group, 'alice', { path: group.ownLeaf('alice'), proposals }, 'commit.removes-committer');
    });

    test('R-119 a Remove, an Update, new extensions, and nothing at all need an UpdatePath', async () => {
      const carol = group.leaf('carol');
      const sent = await group.propose('carol', await update('carol'));
      const covered = [await group.reference(sent)];
      await refuses(group, 'alice', { proposals: byValue(remove(carol)) }, 'commit.path-missing');
      await refuses(group, 'alice', { proposals: covered, carried: [sent] }, 'commit.path-missing');
      await refuses(group, 'alice', { proposals: byValue(admins('alice')) }, 'commit.path-missing');
      await refuses(group, 'alice', {}, 'commit.path-missing');
    });
  });

  describe('by whom it brings', () => {
    test('R-010 a leaf whose credential names no OCM Address is refused', async () => {
      const { keyPackage } = await fellow('erin', group.suite);
      const nameless = {
        ...keyPackage,
        leafNode: {
          ...named(keyPackage.leafNode, 'erin'),
          lifetime: keyPackage.leafNode.lifetime,
          leafNodeSource: 'key_package' as const,
        },
      };
      const proposals = byValue({ proposalType: 'add', add: { keyPackage: nameless } });
      await refuses(group, 'alice', { proposals }, 'commit.credential-malformed');
    });

    test('R-219 R-220 an UpdatePath whose leaf names another user is refused', async () => {
      const path = named((await fellow('alice', group.suite)).keyPackage.leafNode, 'mallory@m.test');
      await refuses(group, 'alice', { path }, 'commit.successor-differs');
      const loud = named((await fellow('alice', group.suite)).keyPackage.leafNode, 'alice@A.TEST');
      await passes(group, 'alice', { path: loud });
    });

    test('R-003 a second leaf of a user is refused', async () => {
      await refuses(group, 'alice', { proposals: byValue(await add('carol')) }, 'commit.second-leaf');
      const twice = byValue(await add('erin'), await add('erin'));
      await refuses(group, 'alice', { proposals: twice }, 'commit.second-leaf');
    });

    test('a rejoin pair of which one half is by reference is refused', async () => {
      const path = (await fellow('alice', group.suite)).keyPackage.leafNode;
      const [out, back] = [remove(group.leaf('carol')), await add('carol')];
      const [sentOut, sentBack] = [await group.propose('bob', out), await group.propose('bob', back)];
      const [outRef, backRef] = [await group.reference(sentOut), await group.reference(sentBack)];
      const code = 'commit.rejoin-by-reference';
      await refuses(group, 'alice', { path, proposals: [outRef, ...byValue(back)], carried: [sentOut] }, code);
      await refuses(group, 'alice', { path, proposals: [backRef, ...byValue(out)], carried: [sentBack] }, code);
      await passes(group, 'alice', { path, proposals: byValue(out, back) });
    });

    test('a new leaf with the key of another is refused', async () => {
      const { keyPackage } = await fellow('erin', group.suite);
      const stolen = { ...keyPackage.leafNode, hpkePublicKey: group.ownLeaf('bob').hpkePublicKey };
      const proposals = byValue({ proposalType: 'add', add: { keyPackage: { ...keyPackage, leafNode: stolen } } });
      await refuses(group, 'alice', { proposals }, 'commit.key-reused');
      const copied = { ...keyPackage.leafNode, signaturePublicKey: group.ownLeaf('bob').signaturePublicKey };
      const again = byValue({ proposalType: 'add', add: { keyPackage: { ...keyPackage, leafNode: copied } } });
      await refuses(group, 'alice', { proposals: again }, 'commit.key-reused');
    });
  });
});

test('every check has its own fault, and every rule is kept once', () => {
  const faults = COMMIT_CHECKS.map(({ fault }) => fault);
  expect(new Set(faults).size).toBe(COMMIT_CHECKS.length);
  const rules = COMMIT_CHECKS.flatMap(({ id, also = [] }) => [id, ...also]);
  expect(new Set(rules).size).toBe(rules.length);
  expect(FEDERATED_GROUP_EXTENSION).toBe(0xf0ca);
});
