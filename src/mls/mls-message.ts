import { hash } from 'node:crypto';
import {
  decodeMlsMessage,
  encodeMlsMessage,
  type FramedContentData,
  type FramedContentProposalData,
  type MLSMessage,
  type PublicMessage,
  type Welcome,
} from 'ts-mls';
import type { FramedContentCommit } from 'ts-mls/framedContent.js';
import { decodeKeyPackage } from 'ts-mls/keyPackage.js';
import type { PrivateMessage } from 'ts-mls/privateMessage.js';
import { toHex } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { epoch, mlsGroupId, type CommitDigest, type Epoch, type MlsGroupId } from '../kernel/ids.js';
import { walkKeyPackage, walkMessage } from './message-walk.js';

export type MessageKind = 'commit' | 'proposal' | 'welcome' | 'key-package' | 'application';

/** What can be read of a message without any key. */
export interface MessageHead {
  readonly kind: MessageKind;
  readonly mlsGroupId?: MlsGroupId;
  readonly epoch?: Epoch;
  readonly digest: CommitDigest;
}

interface Contents {
  readonly commit: FramedContentCommit;
  readonly proposal: FramedContentData & FramedContentProposalData;
}

/** A handshake message in its frame. RFC 9420 section 6 */
export type Framed<Kind extends keyof Contents> = PublicMessage & {
  readonly content: Contents[Kind];
  readonly auth: { readonly contentType: Kind };
};

/** In bytes. A Commit in a sparse tree has one ciphertext of some 80 bytes per member, a Welcome the whole tree. */
const LONGEST: Readonly<Record<MessageKind, number>> = {
  commit: 1 << 20,
  proposal: 1 << 16,
  welcome: 1 << 22,
  'key-package': 1 << 16,
  application: 1 << 20,
};

/** The name of a Commit: the SHA-256 of the whole MLSMessage, in hex. */
export const commitDigest = (bytes: Uint8Array): CommitDigest => hash('sha256', bytes) as CommitDigest;

const malformed = (what: string, cause?: unknown) => new Fault('codec.malformed', { what }, cause);

/** Reads exactly one MLSMessage. Throws `codec.malformed` for anything else; see `walkMessage`. RFC 9420 section 2.1 */
function readMessage(bytes: Uint8Array): MLSMessage {
  if (bytes.length > Math.max(...Object.values(LONGEST))) throw malformed('message too long');
  walkMessage(bytes);
  try {
    const message = decodeMlsMessage(bytes, 0)?.[0];
    if (message) return message;
  } catch (cause) {
    throw malformed('MLSMessage', cause);
  }
  throw malformed('MLSMessage');
}

/** Proposals and Commits are PublicMessages, application messages PrivateMessages. OCM-MLS */
function kindOf(message: MLSMessage): MessageKind {
  switch (message.wireformat) {
    case 'mls_public_message': {
      const { contentType } = message.publicMessage.content;
      if (contentType === 'application') throw malformed('application data in a PublicMessage');
      return contentType;
    }
    case 'mls_private_message':
      if (message.privateMessage.contentType !== 'application') throw malformed('handshake in a PrivateMessage');
      return 'application';
    case 'mls_welcome':
      return 'welcome';
    case 'mls_key_package':
      return 'key-package';
    case 'mls_group_info':
      throw malformed('GroupInfo');
  }
}

function readKind(bytes: Uint8Array): { message: MLSMessage; kind: MessageKind } {
  const message = readMessage(bytes);
  const kind = kindOf(message);
  if (bytes.length > LONGEST[kind]) throw malformed(`${kind} too long`);
  return { message, kind };
}

/** What a message is and where it belongs. Opens nothing and verifies nothing. Throws `codec.malformed`. */
export function readHead(bytes: Uint8Array): MessageHead {
  const digest = commitDigest(bytes);
  if (isBareKeyPackage(bytes)) return { kind: 'key-package', digest };
  const { message, kind } = readKind(bytes);
  const { groupId, epoch: at } = placeOf(message) ?? {};
  if (groupId === undefined || at === undefined) return { kind, digest };
  return { kind, digest, mlsGroupId: mlsGroupId(groupId), epoch: epoch(at) };
}

function placeOf(message: MLSMessage): { readonly groupId: Uint8Array; readonly epoch: bigint } | undefined {
  if (message.wireformat === 'mls_public_message') return message.publicMessage.content;
  return message.wireformat === 'mls_private_message' ? message.privateMessage : undefined;
}

/** A KeyPackage without an MLSMessage around it begins like a PublicMessage: a full parse tells. OCM-MLS A-02 */
function isBareKeyPackage(bytes: Uint8Array): boolean {
  if (bytes.length > LONGEST['key-package']) return false;
  try {
    walkKeyPackage(bytes);
    return decodeKeyPackage(bytes, 0) !== undefined;
  } catch {
    return false;
  }
}

/** Reads a Commit or a Proposal in its frame; its signature is not verified. Throws `codec.malformed`. */
export function readFramed<Kind extends keyof Contents>(bytes: Uint8Array, wanted: Kind): Framed<Kind> {
  const { message, kind } = readKind(bytes);
  if (message.wireformat !== 'mls_public_message' || kind !== wanted) throw malformed(`${kind} instead of ${wanted}`);
  return message.publicMessage as Framed<Kind>;
}

/** The ProposalRefs, in hex, of what a Commit covers by reference. Throws `codec.malformed`. RFC 9420 section 12.4 */
export const referencesOf = (commit: Uint8Array): ReadonlySet<string> =>
  new Set(
    readFramed(commit, 'commit').content.commit.proposals.flatMap((covered) =>
      covered.proposalOrRefType === 'reference' ? toHex(covered.reference) : [],
    ),
  );

/** Reads application data in its frame; nothing is opened. Throws `codec.malformed`. OCM-MLS R-097 */
export function readPrivateMessage(bytes: Uint8Array): PrivateMessage {
  const { message, kind } = readKind(bytes);
  if (message.wireformat !== 'mls_private_message') throw malformed(`${kind} instead of application data`);
  return message.privateMessage;
}

/** Reads a Welcome. Throws `codec.malformed`. */
export function readWelcome(bytes: Uint8Array): Welcome {
  const { message, kind } = readKind(bytes);
  if (message.wireformat !== 'mls_welcome') throw malformed(`${kind} instead of Welcome`);
  return message.welcome;
}

export const writeMessage = (message: MLSMessage): Uint8Array => encodeMlsMessage(message);

export const writeWelcome = (welcome: Welcome): Uint8Array =>
  encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome });
