import type { ClientState, EpochReceiverData, GroupState, KeySchedule, RatchetTree } from 'ts-mls';
import { decodeGroupActiveState, groupActiveStateEncoder, type GroupActiveState } from 'ts-mls/groupActiveState.js';
import { decodeGroupContext, encodeGroupContext, type GroupContext } from 'ts-mls/groupContext.js';
import { decodePrivateKeyPath, privateKeyPathEncoder, type PrivateKeyPath } from 'ts-mls/privateKeyPath.js';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import { Fault } from '../kernel/fault.js';
import { opaque, struct, text, type Codec } from '../kernel/tls.js';
import { clientConfig } from './client-config.js';
import type { OwnUpdate } from './proposal.js';
import { counted, single, versioned } from './stored-codec.js';
import { secretTree } from './stored-ratchets.js';
import { ratchetTree } from './stored-tree.js';

/**
 * A state at rest falls into three parts. What is public and what all members of an epoch derive alike is kept once
 * for all local leaves of a group: each message is opened once for this server, and a leaf sends from its own ratchet
 * only, so that one set of ratchets serves them all. What a leaf alone knows is kept per leaf.
 */
export type CommonState = Omit<GroupState, 'privatePath' | 'signaturePrivateKey' | 'unappliedProposals'>;
export type LeafState = Pick<GroupState, 'privatePath' | 'signaturePrivateKey'> & {
  /** An Update of this leaf that was proposed in this epoch, with which it ends. */
  readonly update?: OwnUpdate;
};

export interface StoredEpoch {
  /** GroupContext, tree, confirmation tag, epoch authenticator. */
  readonly public: Uint8Array;
  /** To be sealed. */
  readonly shared: Uint8Array;
}

/** The Group Key takes the place of the exporter secret, which must not outlive it. OCM-MLS R-158 */
export interface KeyedEpoch {
  readonly common: CommonState;
  readonly groupKey: Uint8Array;
}

const VERSION = 1;
const groupContext = single<GroupContext>(encodeGroupContext, decodeGroupContext);
const activeState = single<GroupActiveState>(encode(groupActiveStateEncoder), decodeGroupActiveState);

type PublicEpoch = Pick<CommonState, 'groupContext' | 'ratchetTree'>;
type PublicPart = PublicEpoch &
  Pick<CommonState, 'confirmationTag' | 'groupActiveState'> &
  Pick<KeySchedule, 'epochAuthenticator'>;
const publicEpoch = (newer?: RatchetTree) => struct<PublicEpoch>({ groupContext, ratchetTree: ratchetTree(newer) });
const current = struct<PublicPart>({
  groupContext,
  ratchetTree: ratchetTree(),
  confirmationTag: opaque,
  groupActiveState: activeState,
  epochAuthenticator: opaque,
});

/** The current epoch, then the earlier ones, each told by its difference from the current one. */
const publicPart = versioned<{ now: PublicPart; earlier: readonly PublicEpoch[] }>(VERSION, {
  write: ({ now, earlier }) =>
    Buffer.concat([current.write(now), counted(publicEpoch(now.ratchetTree)).write(earlier)]),
  read(bytes, at) {
    const now = current.read(bytes, at);
    const earlier = counted(publicEpoch(now.value.ratchetTree)).read(bytes, now.end);
    return { value: { now: now.value, earlier: earlier.value }, end: earlier.end };
  },
});

/** The exporter secret, the external secret and the confirmation key have done their work when an epoch is stored. */
type KeptKeys = Pick<KeySchedule, 'senderDataSecret' | 'membershipKey' | 'resumptionPsk' | 'initSecret'> & {
  groupKey: Uint8Array;
};
const keptKeys = struct<KeptKeys>({
  senderDataSecret: opaque,
  membershipKey: opaque,
  resumptionPsk: opaque,
  initSecret: opaque,
  groupKey: opaque,
});

type EarlierSecrets = Pick<EpochReceiverData, 'resumptionPsk' | 'senderDataSecret' | 'secretTree'>;
const earlierSecrets = (tree: RatchetTree) =>
  struct<EarlierSecrets>({ resumptionPsk: opaque, senderDataSecret: opaque, secretTree: secretTree(tree) });

type SharedPart = { keys: KeptKeys; secretTree: GroupState['secretTree']; earlier: readonly EarlierSecrets[] };

/** One codec per tree of the public part, in its order. */
const sharedPart = (now: RatchetTree, earlier: readonly RatchetTree[]) =>
  versioned<SharedPart>(
    VERSION,
    struct<SharedPart>({ keys: keptKeys, secretTree: secretTree(now), earlier: each(earlier.map(earlierSecrets)) }),
  );

const each = <T>(codecs: readonly Codec<T>[]): Codec<readonly T[]> => ({
  write: (values) => Buffer.concat(codecs.map((codec, index) => codec.write(values[index]!))),
  read(bytes, at) {
    let end = at;
    const values = codecs.map((codec) => {
      const read = codec.read(bytes, end);
      end = read.end;
      return read.value;
    });
    return { value: values, end };
  },
});

/** Proposals that wait are not part of it: they are kept as they were sent, and die with the epoch. */
export function writeEpoch({ common, groupKey }: KeyedEpoch): StoredEpoch {
  if (common.groupActiveState.kind === 'removedFromGroup')
    throw new Fault('internal', { what: 'state of a removed leaf' });
  const earlier = [...common.historicalReceiverData.values()];
  const trees = earlier.map((epoch) => epoch.ratchetTree);
  return {
    public: publicPart.write({ now: { ...common, ...common.keySchedule }, earlier }),
    shared: sharedPart(common.ratchetTree, trees).write({
      keys: { ...common.keySchedule, groupKey },
      secretTree: common.secretTree,
      earlier,
    }),
  };
}

/** Throws `codec.malformed` when the parts are not of one state. */
export function readEpoch(stored: StoredEpoch): KeyedEpoch {
  const {
    now: { epochAuthenticator, ...now },
    earlier,
  } = publicPart.read(stored.public);
  const trees = earlier.map((epoch) => epoch.ratchetTree);
  const { keys, ...secrets } = sharedPart(now.ratchetTree, trees).read(stored.shared);
  const { groupKey, ...kept } = keys;
  const none = new Uint8Array();
  return {
    groupKey,
    common: {
      ...now,
      keySchedule: { ...kept, epochAuthenticator, exporterSecret: none, externalSecret: none, confirmationKey: none },
      secretTree: secrets.secretTree,
      historicalReceiverData: new Map(
        earlier.map((epoch, index) => [epoch.groupContext.epoch, { ...epoch, ...secrets.earlier[index]! }]),
      ),
    },
  };
}

/** The public part alone: who is in the group, at which epoch. Nothing is opened for it. */
export const readPublic = (bytes: Uint8Array): PublicPart => publicPart.read(bytes).now;

const privatePath = single<PrivateKeyPath>(encode(privateKeyPathEncoder), decodePrivateKeyPath);
const leafFields = { privatePath, signaturePrivateKey: opaque };
const leafPart = versioned<LeafState>(VERSION, struct<Omit<LeafState, 'update'>>(leafFields));
/** The form of a leaf that has an Update under way. */
const updatingPart = versioned<Required<LeafState>>(
  VERSION + 1,
  struct<Required<LeafState>>({ ...leafFields, update: struct<OwnUpdate>({ ref: text(String), privateKey: opaque }) }),
);

/** Keys of nodes that have become blank are left out: nothing will be sealed to them again. RFC 9420 section 9.2 */
export function writeLeaf(leaf: LeafState, tree: RatchetTree): Uint8Array {
  const alive = Object.entries(leaf.privatePath.privateKeys).filter(([node]) => tree[Number(node)] !== undefined);
  const { update, ...kept } = {
    ...leaf,
    privatePath: { ...leaf.privatePath, privateKeys: Object.fromEntries(alive) },
  };
  return update ? updatingPart.write({ ...kept, update }) : leafPart.write(kept);
}

export const readLeaf = (bytes: Uint8Array): LeafState => (leafPart.wrote(bytes) ? leafPart : updatingPart).read(bytes);

/** The state of one leaf as the library takes it. */
export const clientState = (common: CommonState, { privatePath, signaturePrivateKey }: LeafState): ClientState => ({
  ...common,
  privatePath,
  signaturePrivateKey,
  unappliedProposals: {},
  clientConfig: clientConfig(),
});
