import { encodeRequiredCapabilities, type Extension, type Proposal } from 'ts-mls';
import { beforeAll, describe, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import type { FaultCode } from '../../src/kernel/fault.js';
import { federatedGroupExtension, REQUIRED_CAPABILITIES, written } from '../../src/mls/federated-group.js';
import { byValue, fellow, type Fellowship } from './support/fellows.js';
import { admins, exactly, extensions, groupOf, LABEL, passes, refuses, standing } from './support/refusals.js';

/** alice and bob are admins in this order; carol and dave are members. */
describe('new extensions in a Commit', () => {
  let group: Fellowship;
  beforeAll(async () => {
    group = await standing();
  });

  const path = async () => (await fellow('alice', group.suite)).keyPackage.leafNode;
  const refused = async (code: FaultCode, ...proposals: Proposal[]) =>
    refuses(group, 'alice', { path: await path(), proposals: byValue(...proposals) }, code);
  const passed = async (...proposals: Proposal[]) =>
    passes(group, 'alice', { path: await path(), proposals: byValue(...proposals) });
  const remove = (name: string): Proposal => ({ proposalType: 'remove', remove: { removed: group.leaf(name) } });

  test('R-053 R-066 an admin appoints, resigns and dismisses through them', async () => {
    await passed(admins('alice', 'bob', 'carol'));
    await passed(admins('bob'));
    await passed(admins('alice'));
    await passed(admins('alice', 'carol', 'dave'));
  });

  test('R-068 a list without the extension, or with one that cannot be read, is refused', async () => {
    await refused('commit.extension-dropped', exactly());
    await refused('commit.extension-dropped', extensions());
    const whole = groupOf(LABEL, 'alice', 'bob');
    await refused('commit.extension-dropped', extensions(whole, whole));
    const tail = { ...whole, extensionData: Buffer.concat([whole.extensionData, Uint8Array.of(0)]) };
    await refused('commit.extension-dropped', extensions(tail));
  });

  test('R-009 R-069 R-077 a label that moves by a single byte is refused', async () => {
    for (const label of ['other@l.test', 'lab@m.test', 'Lab@l.test', 'lab@L.test', 'lab@l.test:443']) {
      await refused('commit.label-moved', extensions(groupOf(label, 'alice', 'bob')));
    }
  });

  test('R-082 a list that drops or changes another extension is refused', async () => {
    const whole = groupOf(LABEL, 'alice', 'bob', 'carol');
    await refused('commit.extensions-changed', exactly(whole));
    const lax: Extension = {
      ...REQUIRED_CAPABILITIES,
      extensionData: encodeRequiredCapabilities({ extensionTypes: [], proposalTypes: [], credentialTypes: [] }),
    };
    await refused('commit.extensions-changed', exactly(lax, whole));
  });

  test('R-082 a list that adds what some member does not understand, or senders from outside, is refused', async () => {
    const whole = groupOf(LABEL, 'alice', 'bob');
    for (const extensionType of [0xf0cb, 'external_senders', 'application_id'] as const) {
      await refused('commit.extensions-changed', extensions(whole, { extensionType, extensionData: utf8('?') }));
    }
    const order = [whole, REQUIRED_CAPABILITIES];
    await passed(exactly(...order));
  });

  test('R-071 a list that puts the admins in another order is refused', async () => {
    await refused('commit.admins-reordered', admins('bob', 'alice'));
    await refused('commit.admins-reordered', admins('bob', 'alice', 'carol'));
    await refused('commit.admins-reordered', admins('alice', 'bob', 'alice'));
  });

  test('R-070 a list with a new admin who does not stand at the end is refused', async () => {
    await refused('commit.admin-not-appended', admins('carol', 'alice', 'bob'));
    await refused('commit.admin-not-appended', admins('alice', 'carol', 'bob'));
    await refused('commit.admin-not-appended', admins('carol', 'bob'));
    await refused('commit.admin-not-appended', admins('alice', 'bob', 'carol', 'carol'));
  });

  test('R-063 a list without admins is refused', async () => {
    await refused('commit.no-admin', admins());
  });

  test('R-079 R-080 an admin who has no leaf is refused', async () => {
    await refused('commit.ghost-admin', admins('alice', 'bob', 'erin'));
    await refused('commit.ghost-admin', remove('carol'), admins('alice', 'bob', 'carol'));
  });

  test('R-065 R-078 R-080 an admin who is removed must leave the list in the same Commit', async () => {
    await refused('commit.ghost-admin', remove('bob'));
    await refused('commit.ghost-admin', remove('bob'), admins('alice', 'bob', 'carol'));
    await passed(remove('bob'), admins('alice'));
    await passed(remove('bob'), admins('alice', 'carol'));
  });

  test('R-081 an admin whose leaf a rejoin pair replaces is no ghost', async () => {
    const { keyPackage } = await fellow('bob', group.suite);
    await passed(remove('bob'), { proposalType: 'add', add: { keyPackage } });
  });

  test('R-070 the admin set compares addresses, not the case of their hosts', async () => {
    const loud = federatedGroupExtension({
      groupAddress: written(LABEL),
      admins: [written('alice@A.TEST'), written('bob@b.test')],
    });
    await passed(extensions(loud));
  });
});
