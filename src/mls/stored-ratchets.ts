import type { GenerationSecret, RatchetTree, SecretTree } from 'ts-mls';
import { opaque, struct, vector, type Codec } from '../kernel/tls.js';
import { counted, uint32 } from './stored-codec.js';

interface Unused {
  readonly generation: number;
  readonly secret: Uint8Array;
}

const unused = vector(struct<Unused>({ generation: uint32, secret: opaque }));

/** One sender's application ratchet. An empty secret stands for none, and nothing follows it. */
const ratchet: Codec<GenerationSecret> = {
  write({ secret, generation, unusedGenerations }) {
    if (secret.length === 0) return opaque.write(secret);
    const kept = Object.entries(unusedGenerations).map(([number, key]) => ({
      generation: Number(number),
      secret: key,
    }));
    return Buffer.concat([opaque.write(secret), uint32.write(generation), unused.write(kept)]);
  },
  read(bytes, at) {
    const secret = opaque.read(bytes, at);
    if (secret.value.length === 0) return { value: NONE, end: secret.end };
    const generation = uint32.read(bytes, secret.end);
    const kept = unused.read(bytes, generation.end);
    const unusedGenerations = Object.fromEntries(kept.value.map((key) => [key.generation, key.secret]));
    return { value: { secret: secret.value, generation: generation.value, unusedGenerations }, end: kept.end };
  },
};

const NONE: GenerationSecret = { secret: new Uint8Array(), generation: 0, unusedGenerations: {} };
const ratchets = counted(ratchet);

/**
 * A secret tree as its members' application ratchets, in the order of the leaves. Handshake ratchets are not kept:
 * Proposals and Commits are PublicMessages (OCM-MLS R-096). Neither is what blank leaves and inner nodes could derive.
 * @param tree the ratchet tree of the same epoch
 */
export const secretTree = (tree: RatchetTree): Codec<SecretTree> => ({
  write: (secrets) =>
    ratchets.write(
      secrets.filter((_, node) => node % 2 === 0).map((leaf, index) => (tree[2 * index] ? leaf.application : NONE)),
    ),
  read(bytes, at) {
    const { value: leaves, end } = ratchets.read(bytes, at);
    const value = Array.from({ length: 2 * leaves.length - 1 }, (_, node) => ({
      handshake: NONE,
      application: node % 2 === 0 ? leaves[node / 2]! : NONE,
    }));
    return { value, end };
  },
});
