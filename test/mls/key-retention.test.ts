import { createApplicationMessage, emptyPskIndex, processPrivateMessage, type PrivateMessage } from 'ts-mls';
import { beforeAll, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/kernel/bytes.js';
import { KEY_RETENTION } from '../../src/mls/suite.js';
import { Fellowship } from './support/fellows.js';

let group: Fellowship;
const sent: PrivateMessage[] = [];
beforeAll(async () => {
  group = await Fellowship.of(['alice', 'bob']);
  let state = group.state('alice');
  for (let generation = 0; generation <= 1001; generation++) {
    const made = await createApplicationMessage(state, utf8(`${generation}`), group.suite);
    sent.push(made.privateMessage);
    state = made.newState;
  }
}, 120_000);

const open = (generation: number, state = group.state('bob')) =>
  processPrivateMessage(state, sent[generation]!, emptyPskIndex, group.suite);

test('messages that never come are no error: the ratchet moves on over 1000 of them', async () => {
  const read = await open(1000);
  expect(read).toMatchObject({ kind: 'applicationMessage', generation: 1000, senderLeafIndex: group.leaf('alice') });
  const late = await open(1000 - KEY_RETENTION.retainKeysForGenerations, read.newState);
  expect(late.kind === 'applicationMessage' && toHex(late.message)).toBe(toHex(utf8('968')));
});

test('a message that would move the ratchet by more than 1000 generations is refused', async () => {
  await expect(open(1001)).rejects.toThrow();
  expect((await open(1001, (await open(1)).newState)).kind).toBe('applicationMessage');
});

test('the keys of a message are gone once it was opened, and those of the oldest skipped ones too', async () => {
  const { newState } = await open(100);
  await expect(open(100, newState)).rejects.toThrow();
  await expect(open(67, newState)).rejects.toThrow();
});

test('messages of the epoch before are opened still, those of older ones are not', async () => {
  await group.commit('alice');
  expect((await open(0)).kind).toBe('applicationMessage');
  await group.commit('alice');
  await expect(open(0)).rejects.toThrow();
});
