import {
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  type Capabilities,
  type CiphersuiteImpl,
  type KeyRetentionConfig,
} from 'ts-mls';
import type { Dice } from '../kernel/dice.js';
import { cryptoProvider, SUITE_NAME } from './crypto-provider.js';

/**
 * The one cipher suite that every server must have, so the one that prospective members have in common, ready for use;
 * whose KeyPackage does not show it among its capabilities is not added. OCM-MLS
 */
export type Suite = CiphersuiteImpl;

export { SUITE_NAME };

/** The GroupContext extension `ocm_federated_group`, in the private range until IANA gives a number. */
export const FEDERATED_GROUP_EXTENSION = 0xf0ca;

/** What the leaves of our users can do; `ocm_federated_group` is among it. OCM-MLS R-084 */
export const CAPABILITIES: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [SUITE_NAME],
  extensions: [FEDERATED_GROUP_EXTENSION],
  proposals: [],
  credentials: ['basic'],
};

/** How long a KeyPackage of ours is good for, and the longest lifetime that we accept in another's. OCM-MLS R-046 */
export const KEY_PACKAGE_DAYS = 30;
export const LONGEST_KEY_PACKAGE_DAYS = 90;

/**
 * What is kept to open late application messages: the epoch before, and the keys of messages that were skipped. A
 * sender's ratchet moves at most 1000 generations for one message. OCM-MLS section 7.4.4
 */
export const KEY_RETENTION: KeyRetentionConfig = {
  retainKeysForEpochs: 1,
  retainKeysForGenerations: 32,
  maximumForwardRatchetSteps: 1000,
};

/** Built once per process; all keys and nonces that MLS makes come from `dice`. */
export const suiteFrom = (dice: Dice): Promise<Suite> =>
  getCiphersuiteImpl(getCiphersuiteFromName(SUITE_NAME), cryptoProvider(dice));
