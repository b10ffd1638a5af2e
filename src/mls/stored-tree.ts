import type { Node, RatchetTree } from 'ts-mls';
import { decodeLeafNode, encodeLeafNode, type LeafNode } from 'ts-mls/leafNode.js';
import type { ParentNode } from 'ts-mls/parentNode.js';
import { extendRatchetTree, stripBlankNodes } from 'ts-mls/ratchetTree.js';
import { Fault } from '../kernel/fault.js';
import { opaque, struct, vector, type Codec } from '../kernel/tls.js';
import { single, uint32, uint8 } from './stored-codec.js';

const leafNode = single<LeafNode>(encodeLeafNode, decodeLeafNode);
const parentNode = struct<ParentNode>({
  hpkePublicKey: opaque,
  parentHash: opaque,
  unmergedLeaves: vector(uint32) as Codec<number[]>,
});

const BLANK = 0;
const LEAF = 1;
const PARENT = 2;
/** As in the tree that was written before: from one epoch to the next only some paths change. */
const SAME = 3;

const writeNode = (node: Node): Uint8Array =>
  node.nodeType === 'leaf'
    ? Buffer.concat([uint8.write(LEAF), leafNode.write(node.leaf)])
    : Buffer.concat([uint8.write(PARENT), parentNode.write(node.parent)]);

const sameNode = (a: Node, b: Node | undefined): boolean =>
  a === b || (b !== undefined && a.nodeType === b.nodeType && Buffer.from(writeNode(a)).equals(writeNode(b)));

/**
 * A ratchet tree (RFC 9420 section 7.8), node by node in a loop: the library's encoder calls itself once per node and
 * overflows the stack above about 4,000 members.
 * @param newer the tree of a later epoch, whose equal nodes are not written again
 */
export const ratchetTree = (newer: RatchetTree = []): Codec<RatchetTree> => ({
  write(tree) {
    const nodes = stripBlankNodes(tree);
    const written = nodes.map((node, index) => {
      if (node === undefined) return uint8.write(BLANK);
      return sameNode(node, newer[index]) ? uint8.write(SAME) : writeNode(node);
    });
    return Buffer.concat([uint32.write(nodes.length), ...written]);
  },
  read(bytes, at) {
    const { value: count, end: first } = uint32.read(bytes, at);
    const nodes: RatchetTree = [];
    let end = first;
    while (nodes.length < count) {
      const read = readNode(bytes, end, newer[nodes.length]);
      nodes.push(read.value);
      end = read.end;
    }
    return { value: extendRatchetTree(nodes), end };
  },
});

function readNode(bytes: Uint8Array, at: number, newer: Node | undefined): { value: Node | undefined; end: number } {
  const { value: kind, end } = uint8.read(bytes, at);
  switch (kind) {
    case BLANK:
      return { value: undefined, end };
    case SAME:
      if (newer) return { value: newer, end };
      break;
    case LEAF: {
      const leaf = leafNode.read(bytes, end);
      return { value: { nodeType: 'leaf', leaf: leaf.value }, end: leaf.end };
    }
    case PARENT: {
      const parent = parentNode.read(bytes, end);
      return { value: { nodeType: 'parent', parent: parent.value }, end: parent.end };
    }
  }
  throw new Fault('codec.malformed', { what: 'stored tree node', kind });
}
