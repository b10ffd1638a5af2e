import { createHash } from 'node:crypto';
import { createApplicationMessage, createCommit, decodeMlsMessage, emptyPskIndex, encodeMlsMessage } from 'ts-mls';
import { encodeKeyPackage } from 'ts-mls/keyPackage.js';
import { createGroupInfoWithExternalPub } from 'ts-mls';
import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { proposeRemove, readHead, welcomeRefs } from '../../src/mls/epoch.js';
import { readKeyPackage, writeKeyPackage } from '../../src/mls/key-package.js';
import { type MessageKind, readFramed, readWelcome, writeMessage } from '../../src/mls/mls-message.js';
import { byValue, expectFault, fellow, type Fellow, Fellowship } from './support/fellows.js';

describe('a message', () => {
  let group: Fellowship;
  let erin: Fellow;
  const messages = new Map<MessageKind, Uint8Array>();
  beforeAll(async () => {
    group = await Fellowship.of(['alice', 'bob']);
    erin = await fellow('erin', group.suite);
    const { commit, welcome } = await group.build('alice', { add: [erin.keyPackage], remove: [group.leaf('bob')] });
    const sent = await createApplicationMessage(group.state('alice'), utf8('hello'), group.suite);
    messages.set('commit', commit);
    messages.set('welcome', welcome!);
    messages.set('proposal', await proposeRemove(group.state('bob'), 1, group.suite));
    messages.set('key-package', writeKeyPackage(erin.keyPackage));
    messages.set(
      'application',
      encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage: sent.privateMessage }),
    );
  });

  const kinds: MessageKind[] = ['commit', 'proposal', 'welcome', 'key-package', 'application'];
  const malformed = (read: () => unknown) => expectFault((async () => read())(), 'codec.malformed');

  test.each(kinds)('that is a %s is read as one', (kind) => {
    const bytes = messages.get(kind)!;
    const { mlsGroupId, epoch } = group.view('alice');
    const place = kind === 'welcome' || kind === 'key-package' ? {} : { mlsGroupId, epoch };
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(readHead(bytes)).toEqual({ kind, digest, ...place });
  });

  test('that is a bare KeyPackage is taken for one', () => {
    const bare = encodeKeyPackage(erin.keyPackage);
    expect(readHead(bare).kind).toBe('key-package');
    expect(readKeyPackage(bare)).toEqual(readKeyPackage(messages.get('key-package')!));
  });

  describe.each(kinds)('that is a %s (defect 12)', (kind) => {
    test('with a tail is refused, though the library takes it', async () => {
      const long = new Uint8Array([...messages.get(kind)!, 0]);
      expect(decodeMlsMessage(long, 0)).toBeDefined();
      await malformed(() => readHead(long));
    });

    test('that is cut off is refused', async () => {
      const whole = messages.get(kind)!;
      for (const length of [0, 1, 3, 4, 6, 40, whole.length - 1])
        await malformed(() => readHead(whole.slice(0, length)));
    });
  });

  test('with a vector length that is longer than needed is refused, though the library takes it (defect 12)', async () => {
    const proposal = messages.get('proposal')!;
    // Behind version and wire format stands the length of the group_id: 32 in one byte, here in two and in four.
    for (const header of [
      [0x40, 32],
      [0x80, 0, 0, 32],
    ]) {
      const long = new Uint8Array([...proposal.slice(0, 4), ...header, ...proposal.slice(5)]);
      expect(decodeMlsMessage(long, 0)).toBeDefined();
      await malformed(() => readHead(long));
    }
  });

  test('with a presence octet other than 0 and 1 is refused, though the library takes it (defect 12)', async () => {
    const commit = (await group.build('alice', { add: [erin.keyPackage] })).commit.slice();
    const { content, auth } = readFramed(commit, 'commit');
    expect(content.commit.path).toBeUndefined();
    const tags = auth.contentType === 'commit' ? [auth.signature, auth.confirmationTag, new Uint8Array(32)] : [];
    const behind = tags.reduce((sum, tag) => sum + tag.length + (tag.length < 64 ? 1 : 2), 0);
    const presence = commit.length - behind - 1;
    expect(commit[presence]).toBe(0);
    commit[presence] = 2;
    expect(decodeMlsMessage(commit, 0)).toBeDefined();
    await malformed(() => readHead(commit));
  });

  test('R-096 that is a Commit or a Proposal in a PrivateMessage is refused', async () => {
    const { commit } = await createCommit(
      { state: group.state('alice'), pskIndex: emptyPskIndex, cipherSuite: group.suite },
      { wireAsPublicMessage: false },
    );
    await malformed(() => readHead(writeMessage(commit)));
  });

  test('R-097 that is application data in a PublicMessage is refused', async () => {
    const message = decodeMlsMessage(messages.get('proposal')!, 0)![0];
    if (message.wireformat !== 'mls_public_message') throw new Error('not public');
    const { groupId, epoch, sender, authenticatedData } = message.publicMessage.content;
    const place = { groupId, epoch, sender, authenticatedData };
    const content = { ...place, contentType: 'application', applicationData: utf8('hello') } as const;
    const auth = { contentType: 'application', signature: new Uint8Array(64) } as const;
    const open = { senderType: 'member', membershipTag: new Uint8Array(32), content, auth } as const;
    await malformed(() => readHead(encodeMlsMessage({ ...message, publicMessage: open })));
  });

  test('that is a GroupInfo has no place here', async () => {
    const groupInfo = await createGroupInfoWithExternalPub(group.state('alice'), [], group.suite);
    await malformed(() => readHead(writeMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo })));
  });

  test('with an empty group_id, or an epoch beyond 2^53, is refused', async () => {
    const proposal = messages.get('proposal')!;
    const nameless = new Uint8Array([...proposal.slice(0, 4), 0, ...proposal.slice(37)]);
    await malformed(() => readHead(nameless));
    const late = proposal.slice();
    late[37] = 0x7f;
    await malformed(() => readHead(late));
  });

  test.each<[MessageKind, number]>([
    ['proposal', 1 << 16],
    ['commit', 1 << 20],
    ['welcome', 1 << 22],
  ])('that is a %s of more than %i bytes is refused', async (kind, longest) => {
    const message = decodeMlsMessage(messages.get(kind)!, 0)![0];
    const padding = new Uint8Array(longest);
    if (message.wireformat === 'mls_public_message') message.publicMessage.content.authenticatedData = padding;
    if (message.wireformat === 'mls_welcome') message.welcome.encryptedGroupInfo = padding;
    await malformed(() => readHead(encodeMlsMessage(message)));
  });

  test('with more elements than anybody needs is refused before the library sees it', async () => {
    const removes = (count: number) =>
      byValue(...Array.from({ length: count }, () => ({ proposalType: 'remove', remove: { removed: 1 } }) as const));
    await malformed(async () => readHead(await group.forge('alice', { proposals: removes(20_001) })));
    expect(readHead(await group.forge('alice', { proposals: removes(1_000) })).kind).toBe('commit');
  });

  test('is not read as one of another kind', async () => {
    await malformed(() => readFramed(messages.get('proposal')!, 'commit'));
    await malformed(() => readFramed(messages.get('commit')!, 'proposal'));
    await malformed(() => readFramed(messages.get('welcome')!, 'commit'));
    await malformed(() => readWelcome(messages.get('commit')!));
    await malformed(() => welcomeRefs(messages.get('key-package')!));
  });
});
