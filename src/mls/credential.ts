import type { Credential } from 'ts-mls';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { fromUtf8, utf8 } from '../kernel/bytes.js';
import { isFault } from '../kernel/fault.js';

/** A basic credential whose identity is the user's OCM Address in UTF-8. OCM-MLS R-010 */
export const credentialOf = (address: OcmAddress): Credential => ({
  credentialType: 'basic',
  identity: utf8(address),
});

/** Whom a credential names; undefined when it is not basic or no well-formed OCM Address. OCM-MLS */
export function addressOf(credential: Credential): OcmAddress | undefined {
  if (credential.credentialType !== 'basic' || !('identity' in credential)) return undefined;
  try {
    return ocmAddress(fromUtf8(credential.identity));
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}
