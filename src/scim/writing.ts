import type { OcmAddress } from '../kernel/address.js';
import type { Operation } from './patch-request.js';
import type { JsonObject } from './schema.js';

/** What is to become of a resource: what a PATCH says, or what a client says of a resource as a whole. */
export interface Aim {
  readonly now: JsonObject;
  readonly meant: JsonObject;
  /** Those of a PATCH. */
  readonly operations: readonly Operation[];
  /** Who asks, where that matters: an address of this domain. */
  readonly by?: OcmAddress | undefined;
}

/** Whether all of it holds now, or something of it is pending. */
export interface Outcome {
  readonly isPending: boolean;
}

/** How resources of one type are written. Everything is of one transaction. */
export interface Writer<Tx> {
  /** Makes a resource of what is asserted, and returns its id. */
  create(tx: Tx, asserted: JsonObject, by: OcmAddress | undefined): Promise<OcmAddress>;
  /** Nobody else changes it until the transaction ends. Throws when it is not there. */
  hold(tx: Tx, id: OcmAddress): Promise<void>;
  /** Of a resource that is held. */
  bringAbout(tx: Tx, id: OcmAddress, aim: Aim): Promise<Outcome>;
  /** Of a resource that is held. */
  remove(tx: Tx, id: OcmAddress): Promise<void>;
  /** What somebody may ask about later, after it was refused. */
  noteRefusal(id: OcmAddress, error: unknown): Promise<void>;
}
