import {
  encodeMlsMessage,
  generateKeyPackageWithKey,
  type Extension,
  type KeyPackage,
  type PrivateKeyPackage,
} from 'ts-mls';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import type { OcmAddress } from '../kernel/address.js';
import { toHex } from '../kernel/bytes.js';
import { opaque, struct } from '../kernel/tls.js';
import { credentialOf } from './credential.js';
import { ed25519Public } from './raw-keys.js';
import { versioned } from './stored-codec.js';
import { CAPABILITIES, KEY_PACKAGE_DAYS, type Suite } from './suite.js';

/** A last-resort KeyPackage is given when the single-use ones are exhausted. OCM-MLS */
export type KeyPackageKind = 'single' | 'last-resort';

/** A KeyPackage that we made, with what only we know of it. */
export interface OwnKeyPackage {
  /** RFC 9420 section 5.2, in hex */
  readonly ref: string;
  readonly address: OcmAddress;
  readonly kind: KeyPackageKind;
  /** The MLSMessage. */
  readonly message: Uint8Array;
  readonly privateKeys: PrivateKeyPackage;
  readonly expiresAt: Date;
}

/** `last_resort`, an empty KeyPackage extension. draft-ietf-mls-extensions */
export const LAST_RESORT_EXTENSION = 0x000a;

const DAY = 86_400;
/** Clocks of other servers may be behind ours. */
const BACKDATED = 3_600;

interface Making {
  readonly address: OcmAddress;
  readonly kind: KeyPackageKind;
  /** The user's own (OCM-MLS R-011): all of a user's KeyPackages are signed with it. */
  readonly signatureKey: Uint8Array;
  readonly now: Date;
}

/** A new KeyPackage with fresh HPKE keys. OCM-MLS */
export async function makeKeyPackage(
  { address, kind, signatureKey, now }: Making,
  suite: Suite,
): Promise<OwnKeyPackage> {
  const seconds = Math.floor(now.getTime() / 1000);
  const notAfter = seconds + KEY_PACKAGE_DAYS * DAY;
  const extensions: Extension[] =
    kind === 'last-resort' ? [{ extensionType: LAST_RESORT_EXTENSION, extensionData: new Uint8Array() }] : [];
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    credentialOf(address),
    CAPABILITIES,
    { notBefore: BigInt(seconds - BACKDATED), notAfter: BigInt(notAfter) },
    extensions,
    { signKey: signatureKey, publicKey: ed25519Public(signatureKey) },
    suite,
  );
  return {
    ref: await refOf(publicPackage, suite),
    address,
    kind,
    message: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: publicPackage }),
    privateKeys: privatePackage,
    expiresAt: new Date(notAfter * 1000),
  };
}

/** How a Welcome names a KeyPackage, in hex. RFC 9420 section 5.2 */
export const refOf = async (keyPackage: KeyPackage, { hash }: Suite): Promise<string> =>
  toHex(await makeKeyPackageRef(keyPackage, hash));

const VERSION = 1;
const stored = versioned<PrivateKeyPackage>(
  VERSION,
  struct<PrivateKeyPackage>({ initPrivateKey: opaque, hpkePrivateKey: opaque, signaturePrivateKey: opaque }),
);

/** The private keys as they are sealed. */
export const writePrivateKeys = (keys: PrivateKeyPackage): Uint8Array => stored.write(keys);
export const readPrivateKeys = (bytes: Uint8Array): PrivateKeyPackage => stored.read(bytes);
