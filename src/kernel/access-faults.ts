import type { FaultKind } from './group-faults.js';

const refused = (says: string) => ({ status: 401, retry: false, says });
const unavailable = (says: string) => ({ status: 503, retry: true, says });

/** The part of the catalogue that is about protocol servers: what is shown to them, and what OCM servers tell them. */
export const ACCESS_FAULTS = {
  'access.missing': refused('no credential was shown'),
  'access.malformed': refused('not an access token'),
  'access.too-large': refused('the credential is longer than any that is accepted here'),
  'access.type': refused('not a JWT of the type of access tokens'),
  'access.header': refused('the token brings a key along, or asks for what is not known here'),
  'access.issuer': refused('the issuer is not one that is trusted here'),
  'access.mode': refused('the issuer is not paired for tokens of this kind'),
  'access.key': refused('the issuer publishes no such key'),
  'access.algorithm': refused('the algorithm of the token is not that of the key'),
  'access.signature': refused('the signature does not hold'),
  'access.claims': refused('the token lacks what it must say'),
  'access.expired': refused('the token, or its share, has expired'),
  'access.early': refused('the token is not valid yet'),
  'access.expiry-differs': refused('what came with the token says otherwise when it expires'),
  'access.no-share': refused('no share is known for the token'),
  'access.owner': refused('the token speaks for another owner than the share has'),
  'access.audience': refused('the token is for somebody the share is not with'),
  'access.inactive': refused('the issuer says that the credential opens nothing'),
  'access.scope': { status: 403, retry: false, says: 'the token does not open this' },
  'access.issuer-unavailable': unavailable('the keys of the issuer cannot be read now'),
  'access.introspection-unavailable': unavailable('the issuer cannot be asked about the credential now'),
  'provision.unpaired': refused('this server is not paired with the sender for provisioning'),
  'provision.revoked': refused('the share was revoked after that was signed'),
  'provision.full': unavailable('this server holds as many shares of the sender as it will'),
  'provision.not-now': unavailable('this server cannot take the share now'),
} as const satisfies Record<string, FaultKind>;
