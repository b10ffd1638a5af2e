import { createHash } from 'node:crypto';
import type { Host, OcmAddress } from '../kernel/address.js';
import { utf8 } from '../kernel/bytes.js';
import type { FaultCode } from '../kernel/fault.js';
import type { Epoch } from '../kernel/ids.js';
import type { SharedData } from './access-token.js';

/** That one member server may exchange one secret for access to one share. */
export interface Grant {
  /** Names the grant to that server; no credential. */
  readonly providerId: string;
  readonly shareId: string;
  readonly group: OcmAddress;
  readonly sender: OcmAddress;
  readonly owner: OcmAddress;
  readonly recipient: Host;
  readonly data: SharedData;
  /** OCM-IP, Integration Modes: in Provisioned mode protocol servers know the share already. */
  readonly provisioned: boolean;
  /** Its secret was minted by the Token Server, which knows no other. */
  readonly delegated: boolean;
  readonly grantedAt: Date;
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
}

/** What the group looks like at the moment of asking. */
export interface Standing {
  readonly epoch: Epoch;
  readonly active: boolean;
  readonly senderIsMember: boolean;
  /** The members of the server that asks. */
  readonly members: readonly OcmAddress[];
}

export interface Asking {
  readonly from: Host;
  readonly member?: OcmAddress;
  readonly at: Date;
}

export type ExchangeVerdict =
  | { readonly kind: 'grant'; readonly epoch: Epoch; readonly members: readonly OcmAddress[] }
  | { readonly kind: 'refuse'; readonly cause: Extract<FaultCode, `grant.${string}`> };

const refuse = (cause: Extract<FaultCode, `grant.${string}`>): ExchangeVerdict => ({ kind: 'refuse', cause });

/**
 * Whether a secret opens anything now: nothing once the share has ended (I-037). Everything is judged at the moment of asking, so that a removal counts at once,
 * before the share has been reconciled. OCM core, Code Flow; OCM-MLS section 8.12
 */
export function judgeExchange(grant: Grant, asking: Asking, standing: Standing | undefined): ExchangeVerdict {
  if (grant.recipient !== asking.from) return refuse('grant.other-server');
  if (grant.revokedAt) return refuse('grant.revoked');
  if (grant.expiresAt && grant.expiresAt <= asking.at) return refuse('grant.expired');
  if (!standing?.active) return refuse('grant.group-gone');
  if (!standing.senderIsMember) return refuse('grant.sender-gone');
  if (standing.members.length === 0) return refuse('grant.server-gone');
  if (asking.member && !standing.members.includes(asking.member)) return refuse('grant.member-unknown');
  return { kind: 'grant', epoch: standing.epoch, members: standing.members };
}

/** What is stored of a secret. It has 256 random bits, so a plain hash cannot be searched. */
export const secretHash = (secret: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update('covey shared secret\0').update(utf8(secret)).digest());
