import { createApplicationMessage, emptyPskIndex, encodeMlsMessage } from 'ts-mls';
import { decryptSenderData, type PrivateMessage } from 'ts-mls/privateMessage.js';
import { processPrivateMessage } from 'ts-mls/processMessages.js';
import type { OcmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { epoch, type Epoch } from '../kernel/ids.js';
import { idOf, type LocalGroup, type LocalLeaf } from './local-group.js';
import { readPrivateMessage } from './mls-message.js';
import { leavesOf } from './roster.js';
import { clientState, type CommonState } from './stored-state.js';
import { KEY_RETENTION, type Suite } from './suite.js';

/** Data that a member sent to the group. Of two that one leaf sent, (epoch, generation) says which is the later one. */
export interface OpenedMessage {
  readonly epoch: Epoch;
  readonly generation: number;
  readonly sender: OcmAddress;
  readonly data: Uint8Array;
}

/**
 * `early`: the Commit that leads to its epoch is not here yet. `stale`: of an epoch whose keys are gone. `spent`: the key
 * of its generation was used, by the same message most likely.
 */
export type Opened =
  | {
      readonly kind: 'opened';
      readonly message: OpenedMessage;
      readonly common: CommonState;
      readonly spent: readonly Uint8Array[];
    }
  | { readonly kind: 'early'; readonly epoch: Epoch }
  | { readonly kind: 'stale' }
  | { readonly kind: 'spent' };

/** Throws what the library throws in a group that has ended with a ReInit. RFC 9420 section 6.3.1, OCM-MLS */
export async function sealApplication(
  group: LocalGroup,
  speaker: LocalLeaf,
  data: Uint8Array,
  suite: Suite,
): Promise<{ message: Uint8Array; generation: number; common: CommonState; spent: readonly Uint8Array[] }> {
  if (group.common.groupActiveState.kind !== 'active') throw new Fault('group.closed', { group: idOf(group) });
  const state = clientState(group.common, speaker.secrets);
  const { privateMessage, newState, consumed } = await createApplicationMessage(state, data, suite);
  const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
  const { generation } = state.secretTree[2 * speaker.secrets.privatePath.leafIndex]!.application;
  return { message, generation, common: { ...group.common, secretTree: newState.secretTree }, spent: consumed };
}

/** What opens messages of one epoch. */
type Receiver = Pick<CommonState, 'ratchetTree' | 'secretTree'> & { readonly senderDataSecret: Uint8Array };

function receiverOf({ common }: LocalGroup, at: bigint): Receiver | undefined {
  if (at === common.groupContext.epoch) return { ...common, ...common.keySchedule };
  return common.historicalReceiverData.get(at);
}

/**
 * Opens a message once, for all leaves of this server. Generations that were skipped are no error (OCM-MLS R-123), unless
 * they are more than `KEY_RETENTION` says. Throws `codec.malformed`, `application.unopenable`,
 * `application.own-leaf` and `application.too-far`; whatever it throws, nothing has moved.
 */
export async function openApplication(group: LocalGroup, bytes: Uint8Array, suite: Suite): Promise<Opened> {
  const message = readPrivateMessage(bytes);
  if (message.epoch > group.common.groupContext.epoch) return { kind: 'early', epoch: epoch(message.epoch) };
  const receiver = receiverOf(group, message.epoch);
  if (!receiver) return { kind: 'stale' };
  const { leafIndex, generation } = await senderOf(message, receiver, suite);
  const sender = leavesOf(receiver.ratchetTree).find((leaf) => leaf.leafIndex === leafIndex)?.address;
  if (sender === undefined) throw new Fault('application.unopenable', { leafIndex });
  // The ratchet of a leaf of ours is the one that it sends with.
  if (group.leaves.some(({ address }) => address === sender)) throw new Fault('application.own-leaf', { sender });
  const ratchet = receiver.secretTree[2 * leafIndex]!.application;
  const behind = generation - ratchet.generation;
  if (behind < 0 && ratchet.unusedGenerations[generation] === undefined) return { kind: 'spent' };
  if (behind > KEY_RETENTION.maximumForwardRatchetSteps) throw new Fault('application.too-far', { sender, behind });
  const opened = await unopened(() => processPrivateMessage(anyState(group), message, emptyPskIndex, suite));
  if (opened.kind !== 'applicationMessage') throw new Fault('application.unopenable', { kind: opened.kind });
  const { newState, consumed, message: data } = opened;
  const { secretTree, historicalReceiverData } = newState;
  return {
    kind: 'opened',
    message: { epoch: epoch(message.epoch), generation, sender, data },
    common: { ...group.common, secretTree, historicalReceiverData },
    spent: consumed,
  };
}

/** Any leaf's state opens what is sent to all; none of its own secrets are needed. */
const anyState = (group: LocalGroup) => clientState(group.common, group.leaves[0]!.secrets);

async function senderOf(message: PrivateMessage, { senderDataSecret }: Receiver, suite: Suite) {
  const sender = await unopened(() => decryptSenderData(message, senderDataSecret, suite));
  if (!sender) throw new Fault('application.unopenable', { what: 'sender data' });
  return sender;
}

async function unopened<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    throw new Fault('application.unopenable', {}, cause);
  }
}
