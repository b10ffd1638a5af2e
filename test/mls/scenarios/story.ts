import assert from 'node:assert/strict';
import type { MLSMessage } from 'ts-mls';
import type { Library } from '../support/library-without.js';
import { Member, suiteFor } from '../support/party.js';
import { bytes, stories, type StoryState } from '../support/story.js';

/** Follows a whole history as MLS alone does, without our policy. Throws at the first difference. */
export async function followStory(lib: Library, name: string): Promise<void> {
  const story = stories().find((one) => one.name === name);
  assert(story, name);
  const suite = await suiteFor(name);
  const read = (hex: string): MLSMessage => lib.decodeMlsMessage(bytes(hex), 0)![0];
  const keyPackage = read(story.passive.key_package);
  const welcome = read(story.welcome);
  assert(keyPackage.wireformat === 'mls_key_package' && welcome.wireformat === 'mls_welcome');
  const member = await Member.join(lib, suite, welcome.welcome, {
    keyPackage: keyPackage.keyPackage,
    privateKeys: {
      initPrivateKey: bytes(story.passive.init_priv),
      hpkePrivateKey: bytes(story.passive.encryption_priv),
      signaturePrivateKey: bytes(story.passive.signature_priv),
    },
  });
  const assertSame = (told: StoryState) => assert.equal(member.authenticator, told.epoch_authenticator);
  assertSame(story.after_join);
  for (const told of story.epochs) {
    for (const proposal of told.proposals) await member.follow(read(proposal));
    await member.follow(read(told.commit));
    if (told.expect !== 'removed') assertSame(told);
    else assert.equal(member.state.groupActiveState.kind, 'removedFromGroup');
  }
}
