import { Fault } from '../kernel/fault.js';

/**
 * How long a list may be, all lists of a message together. The library spends some thirty microseconds on an element,
 * and a megabyte holds a hundred thousand of the shortest; the path of a sparse tree has one for each member.
 */
const MOST_ELEMENTS = 20_000;

const malformed = (what: string) => new Fault('codec.malformed', { what });

/** A place in a message. Walking it makes no copy and decodes nothing but lengths and the octets that say what comes. */
class Walk {
  #at = 0;
  #elements = 0;

  constructor(readonly bytes: Uint8Array) {}

  get at(): number {
    return this.#at;
  }

  number(size: 1 | 2): number {
    const start = this.#at;
    this.skip(size);
    return size === 1 ? this.bytes[start]! : this.bytes[start]! * 256 + this.bytes[start + 1]!;
  }

  skip(length: number): void {
    if (this.#at + length > this.bytes.length) throw malformed('cut off');
    this.#at += length;
  }

  /** Length header of a vector: minimal, prefix 11 forbidden. RFC 9420 section 2.1.2 */
  length(): number {
    const first = this.number(1);
    const prefix = first >> 6;
    if (prefix === 3) throw malformed('vector length with prefix 11');
    let value = first & 0x3f;
    for (let more = (1 << prefix) - 1; more > 0; more--) value = value * 256 + this.number(1);
    const least = [0, 0x40, 0x4000][prefix]!;
    if (value < least) throw malformed('vector length not minimal');
    return value;
  }

  /** Whole elements up to the end of the vector. */
  list(element: Shape): void {
    const end = this.length() + this.#at;
    while (this.#at < end) {
      this.#elements += 1;
      if (this.#elements > MOST_ELEMENTS) throw malformed('too many elements');
      element(this);
    }
    if (this.#at !== end) throw malformed('element beyond its vector');
  }
}

type Shape = (walk: Walk) => void;

const fixed =
  (length: number): Shape =>
  (walk) =>
    walk.skip(length);
const opaque: Shape = (walk) => walk.skip(walk.length());
const list =
  (element: Shape): Shape =>
  (walk) =>
    walk.list(element);
const struct =
  (...fields: Shape[]): Shape =>
  (walk) => {
    for (const field of fields) field(walk);
  };
/** What a number in front says; without an entry it is `otherwise`, or malformed. */
const select =
  (size: 1 | 2, shapes: Readonly<Record<number, Shape>>, otherwise?: Shape): Shape =>
  (walk) => {
    const shape = shapes[walk.number(size)] ?? otherwise;
    if (!shape) throw malformed('unknown type');
    shape(walk);
  };

const nothing: Shape = struct();
const uint16 = fixed(2);
const uint32 = fixed(4);
const uint64 = fixed(8);
const optional = (shape: Shape): Shape => select(1, { 0: nothing, 1: shape });

const extensions = list(struct(uint16, opaque));
const credential = select(2, { 2: list(opaque) }, opaque);
const capabilities = struct(list(uint16), list(uint16), list(uint16), list(uint16), list(uint16));
const leafSource = select(1, { 1: struct(uint64, uint64), 2: nothing, 3: opaque });
/** RFC 9420 section 7.2 */
const leafNode = struct(opaque, opaque, credential, capabilities, leafSource, extensions, opaque);
/** RFC 9420 section 10 */
const keyPackage = struct(uint16, uint16, opaque, leafNode, extensions, opaque);
const preSharedKey = struct(select(1, { 1: opaque, 2: struct(fixed(1), opaque, uint64) }), opaque);
const reInit = struct(opaque, uint16, uint16, extensions);
/** RFC 9420 section 12.1; a type that is not there is an opaque vector. */
const proposal = select(
  2,
  { 1: keyPackage, 2: leafNode, 3: uint32, 4: preSharedKey, 5: reInit, 6: opaque, 7: extensions },
  opaque,
);
const updatePath = struct(leafNode, list(struct(opaque, list(struct(opaque, opaque)))));
/** RFC 9420 section 12.4 */
const commit = struct(list(select(1, { 1: proposal, 2: opaque })), optional(updatePath));

/** RFC 9420 sections 6 and 6.2: what is behind the content depends on what it is and on who sent it. */
const publicMessage: Shape = (walk) => {
  struct(opaque, uint64)(walk);
  const member = walk.bytes[walk.at] === 1;
  struct(select(1, { 1: uint32, 2: uint32, 3: nothing, 4: nothing }), opaque)(walk);
  const committed = walk.bytes[walk.at] === 3;
  struct(select(1, { 1: opaque, 2: proposal, 3: commit }), opaque)(walk);
  if (committed) opaque(walk);
  if (member) opaque(walk);
};
const privateMessage = struct(opaque, uint64, fixed(1), opaque, opaque, opaque);
const welcome = struct(uint16, list(struct(opaque, opaque, opaque)), opaque);
/** RFC 9420 section 6; a GroupInfo is not sent on its own in a federated group. */
const mlsMessage = struct(uint16, select(2, { 1: publicMessage, 2: privateMessage, 3: welcome, 5: keyPackage }));

function walkWhole(shape: Shape, bytes: Uint8Array): void {
  const walk = new Walk(bytes);
  shape(walk);
  if (walk.at !== bytes.length) throw malformed('trailing bytes');
}

/**
 * Walks over one MLSMessage before the library sees it. Throws `codec.malformed` for what is cut off, has a tail, a
 * vector length that is longer than needed, a presence octet other than 0 and 1, or more elements than anybody needs.
 * OCM-MLS A-02
 */
export const walkMessage = (bytes: Uint8Array): void => walkWhole(mlsMessage, bytes);

/** The same for a KeyPackage without an MLSMessage around it. */
export const walkKeyPackage = (bytes: Uint8Array): void => walkWhole(keyPackage, bytes);
