import { decodeMlsMessage, encodeMlsMessage, type ExtensionType, type KeyPackage } from 'ts-mls';
import { decodeKeyPackage, encodeKeyPackage, verifyKeyPackage } from 'ts-mls/keyPackage.js';
import { verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js';
import type { OcmAddress } from '../kernel/address.js';
import { fromUtf8, sameBytes } from '../kernel/bytes.js';
import { Fault, type FaultCode } from '../kernel/fault.js';
import { FEDERATED_GROUP_EXTENSION, LONGEST_KEY_PACKAGE_DAYS, SUITE_NAME, type Suite } from './suite.js';

/** Reads an MLSMessage or a bare KeyPackage, told apart by which of the two it is wholly (D-04). Throws `codec.malformed`. */
export function readKeyPackage(bytes: Uint8Array): KeyPackage {
  const readers = [
    () => {
      const message = decodeMlsMessage(bytes, 0)?.[0];
      if (message?.wireformat !== 'mls_key_package') return undefined;
      return sameBytes(encodeMlsMessage(message), bytes) ? message.keyPackage : undefined;
    },
    () => {
      const keyPackage = decodeKeyPackage(bytes, 0)?.[0];
      return keyPackage && sameBytes(encodeKeyPackage(keyPackage), bytes) ? keyPackage : undefined;
    },
  ];
  for (const read of readers) {
    try {
      // What does not encode back to the same bytes had a tail, or lengths that were longer than needed.
      const keyPackage = read();
      if (keyPackage) return keyPackage;
    } catch {
      continue;
    }
  }
  throw new Fault('codec.malformed', { what: 'KeyPackage' });
}

/** As an MLSMessage: the form in which it is given on. */
export const writeKeyPackage = (keyPackage: KeyPackage): Uint8Array =>
  encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage });

interface Asked {
  readonly userId: OcmAddress;
  readonly now: Date;
}

interface Check {
  readonly fault: FaultCode;
  readonly holds: (keyPackage: KeyPackage, asked: Asked, suite: Suite) => boolean | Promise<boolean>;
}

const DAY = 86_400n;
const KEY_LENGTH = 32;
const seconds = (at: Date) => BigInt(Math.floor(at.getTime() / 1000));
const unique = (list: readonly unknown[]) => new Set(list).size === list.length;
/** Extension types that the library knows by name have their own place, and that is not a KeyPackage. */
const elsewhere = (type: ExtensionType) => typeof type === 'string' || type === FEDERATED_GROUP_EXTENSION;

/** What a KeyPackage must be before its user is added; the order is that of the cost. OCM-MLS section 10.1 */
const CHECKS: readonly Check[] = [
  {
    fault: 'key-package.suite',
    holds: ({ version, cipherSuite }) => version === 'mls10' && cipherSuite === SUITE_NAME,
  },
  {
    fault: 'key-package.credential',
    holds: ({ leafNode: { credential } }) => credential.credentialType === 'basic',
  },
  {
    fault: 'key-package.other-user',
    holds: ({ leafNode: { credential } }, { userId }) =>
      credential.credentialType === 'basic' && fromUtf8(credential.identity) === userId,
  },
  {
    fault: 'key-package.capabilities',
    holds: ({ leafNode: { capabilities: able } }) =>
      able.versions.includes('mls10') &&
      able.ciphersuites.includes(SUITE_NAME) &&
      able.credentials.includes('basic') &&
      able.extensions.includes(FEDERATED_GROUP_EXTENSION),
  },
  {
    // RFC 9420 sections 7.2, 13.4: a leaf's must be among its capabilities; unknown ones of a KeyPackage are ignored.
    fault: 'key-package.foreign-extension',
    holds({ extensions, leafNode }) {
      const own = extensions.map(({ extensionType }) => extensionType);
      const leafs = leafNode.extensions.map(({ extensionType }) => extensionType);
      const known = (type: ExtensionType) =>
        type === 'application_id' || (!elsewhere(type) && leafNode.capabilities.extensions.includes(Number(type)));
      return unique(own) && unique(leafs) && !own.some(elsewhere) && leafs.every(known);
    },
  },
  {
    fault: 'key-package.not-valid-now',
    holds: ({ leafNode: { lifetime } }, { now }) =>
      lifetime.notBefore <= seconds(now) && seconds(now) <= lifetime.notAfter,
  },
  {
    fault: 'key-package.lifetime',
    holds: ({ leafNode: { lifetime } }) =>
      lifetime.notAfter - lifetime.notBefore <= BigInt(LONGEST_KEY_PACKAGE_DAYS) * DAY,
  },
  {
    // RFC 9420 section 10.1. Nothing can be sealed to a point of small order: found here, not in the Commit.
    fault: 'key-package.keys',
    async holds({ initKey, leafNode: { hpkePublicKey, signaturePublicKey } }, _, { hpke }) {
      const keys = [initKey, hpkePublicKey];
      const lengths = [...keys, signaturePublicKey].every((key) => key.length === KEY_LENGTH);
      if (!lengths || sameBytes(initKey, hpkePublicKey)) return false;
      const none = new Uint8Array();
      for (const key of keys) await hpke.seal(await hpke.importPublicKey(key), none, none);
      return true;
    },
  },
  {
    fault: 'key-package.signature',
    holds: async (keyPackage, _, { signature }) =>
      (await verifyLeafNodeSignatureKeyPackage(keyPackage.leafNode, signature)) &&
      (await verifyKeyPackage(keyPackage, signature)),
  },
];

/**
 * Reads and judges another's KeyPackage. Throws `codec.malformed` or the fault of the first check that does not hold.
 * OCM-MLS
 */
export async function checkKeyPackage(bytes: Uint8Array, asked: Asked, suite: Suite): Promise<KeyPackage> {
  const keyPackage = readKeyPackage(bytes);
  for (const { fault, holds } of CHECKS) {
    let held = false;
    let reason: unknown;
    try {
      held = await holds(keyPackage, asked, suite);
    } catch (cause) {
      reason = cause;
    }
    if (!held) throw new Fault(fault, { userId: asked.userId }, reason);
  }
  return keyPackage;
}
