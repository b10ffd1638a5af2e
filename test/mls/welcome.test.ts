import { createCommit, createGroup, emptyPskIndex, type Extension, type GroupInfo } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { clientConfig } from '../../src/mls/client-config.js';
import { join } from '../../src/mls/epoch.js';
import { REQUIRED_CAPABILITIES } from '../../src/mls/federated-group.js';
import { viewOf } from '../../src/mls/group-view.js';
import { writeWelcome } from '../../src/mls/mls-message.js';
import { party } from './support/party.js';
import { address, expectFault, type Fellow, fellow, Fellowship, NOW } from './support/fellows.js';
import { groupOf, LABEL } from './support/refusals.js';
import { rewelcome } from './support/rewelcome.js';

describe('a Welcome', () => {
  let group: Fellowship;
  let erin: Fellow;
  let welcome: Uint8Array;
  beforeAll(async () => {
    group = await Fellowship.of(['alice', 'bob']);
    erin = await fellow('erin', group.suite);
    welcome = (await group.build('alice', { add: [erin.keyPackage], remove: [group.leaf('bob')] })).welcome!;
  });

  const enter = (bytes: Uint8Array, who = erin) => join(bytes, who.keyPackage, who.privateKeys, group.suite);
  const changed = (change: (groupInfo: GroupInfo) => GroupInfo, by = group.state('alice').signaturePrivateKey) =>
    rewelcome(welcome, erin, by, change, group.suite);

  test('R-107 R-108 tells the address of the group, its admins and its members', async () => {
    expect(viewOf(await enter(welcome))).toMatchObject({
      address: LABEL,
      epoch: 2,
      admins: [address('alice')],
      members: [
        { leafIndex: 0, address: address('alice') },
        { leafIndex: 1, address: erin.address },
      ],
    });
  });

  test('R-107 without the ratchet tree is refused', async () => {
    const bare = await changed((groupInfo) => ({
      ...groupInfo,
      extensions: groupInfo.extensions.filter(({ extensionType }) => extensionType !== 'ratchet_tree'),
    }));
    await expectFault(enter(bare), 'welcome.no-tree');
  });

  test('R-108 to a group without the extension is refused', async () => {
    const bare = await changed((groupInfo) => ({
      ...groupInfo,
      groupContext: { ...groupInfo.groupContext, extensions: [REQUIRED_CAPABILITIES] },
    }));
    await expectFault(enter(bare), 'welcome.not-federated');
  });

  test('R-221 with a GroupInfo that somebody else signed is refused', async () => {
    const { signaturePrivateKey } = group.state('bob');
    await expectFault(enter(await changed((same) => same, signaturePrivateKey)), 'welcome.invalid');
  });

  test('R-221 with a tree that is not the one of the group is refused', async () => {
    const treeHash = new Uint8Array(32);
    const other = (groupInfo: GroupInfo) => ({ ...groupInfo, groupContext: { ...groupInfo.groupContext, treeHash } });
    await expectFault(enter(await changed(other)), 'welcome.invalid');
  });

  test('R-221 with another group behind the same keys is refused', async () => {
    const label = (groupInfo: GroupInfo) => ({
      ...groupInfo,
      groupContext: {
        ...groupInfo.groupContext,
        extensions: [REQUIRED_CAPABILITIES, groupOf('other@l.test', 'alice')],
      },
    });
    await expectFault(enter(await changed(label)), 'welcome.invalid');
  });

  test('for another KeyPackage is refused, and one of another suite', async () => {
    await expectFault(enter(welcome, await fellow('frank', group.suite)), 'welcome.not-ours');
    const otherSuite = welcome.slice();
    otherSuite[5] = 2;
    await expectFault(enter(otherSuite), 'welcome.not-ours');
  });

  test('with the private keys of another KeyPackage does not open', async () => {
    const { privateKeys } = await fellow('erin', group.suite);
    await expectFault(enter(welcome, { ...erin, privateKeys }), 'welcome.unopenable');
  });
});

describe('a Welcome to a group that should not be', () => {
  const LAB = groupOf(LABEL, 'alice');

  /** A group made with the library alone, which knows none of our rules. */
  async function lawless(identities: readonly string[], extensions: Extension[], joins: Fellow, seed: Fellowship) {
    const { suite } = seed;
    const [founder, ...others] = await Promise.all(identities.map((identity) => party(identity, suite)));
    const config = { ...clientConfig(NOW), authService: { validateCredential: async () => true } };
    const { keyPackage, privateKeys } = founder!;
    const state = await createGroup(utf8('lawless'), keyPackage, privateKeys, extensions, suite, config);
    const added = [...others.map((other) => other.keyPackage), joins.keyPackage];
    const { welcome } = await createCommit(
      { state, pskIndex: emptyPskIndex, cipherSuite: suite },
      {
        ratchetTreeExtension: true,
        extraProposals: added.map((one) => ({ proposalType: 'add', add: { keyPackage: one } })),
      },
    );
    return join(writeWelcome(welcome!), joins.keyPackage, joins.privateKeys, suite);
  }

  let seed: Fellowship;
  let erin: Fellow;
  beforeAll(async () => {
    seed = await Fellowship.of(['zoe']);
    erin = await fellow('erin', seed.suite);
  });

  test('an ordinary one is joined', async () => {
    const state = await lawless(['alice@a.test', 'bob@b.test'], [REQUIRED_CAPABILITIES, LAB], erin, seed);
    expect(viewOf(state).members).toHaveLength(3);
  });

  test('R-010 R-222 with a leaf whose credential is no OCM Address is refused', async () => {
    await expectFault(lawless(['alice@a.test', 'bob'], [LAB], erin, seed), 'welcome.invalid');
    await expectFault(lawless(['alice@a.test', 'bob@-'], [LAB], erin, seed), 'welcome.invalid');
  });

  test('R-003 with two leaves of one user is refused', async () => {
    await expectFault(lawless(['alice@a.test', 'bob@b.test', 'bob@B.test'], [LAB], erin, seed), 'welcome.roster');
  });

  test('R-063 R-080 without admins, or with one who has no leaf, is refused', async () => {
    await expectFault(lawless(['alice@a.test'], [groupOf(LABEL)], erin, seed), 'welcome.roster');
    await expectFault(lawless(['alice@a.test'], [groupOf(LABEL, 'alice', 'bob')], erin, seed), 'welcome.roster');
    await expectFault(lawless(['alice@a.test'], [groupOf(LABEL, 'alice', 'alice')], erin, seed), 'welcome.roster');
  });

  test('R-084 with an own leaf that does not list the extension is refused', async () => {
    const { suite } = seed;
    const [founder, joiner] = [
      await party('alice@a.test', suite),
      await party('erin@e.test', suite, { extensions: [] }),
    ];
    const incapable: Fellow = { address: erin.address, ...joiner };
    const { keyPackage, privateKeys } = founder;
    const state = await createGroup(utf8('lawless'), keyPackage, privateKeys, [], suite, clientConfig(NOW));
    const { welcome } = await createCommit(
      { state, pskIndex: emptyPskIndex, cipherSuite: suite },
      {
        ratchetTreeExtension: true,
        extraProposals: [{ proposalType: 'add', add: { keyPackage: incapable.keyPackage } }],
      },
    );
    const federated = await rewelcome(
      writeWelcome(welcome!),
      incapable,
      privateKeys.signaturePrivateKey,
      (groupInfo) => ({ ...groupInfo, groupContext: { ...groupInfo.groupContext, extensions: [LAB] } }),
      suite,
    );
    await expectFault(join(federated, incapable.keyPackage, incapable.privateKeys, suite), 'welcome.not-capable');
  });
});
