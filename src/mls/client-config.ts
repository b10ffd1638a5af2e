import { defaultKeyPackageEqualityConfig, defaultPaddingConfig, type ClientConfig } from 'ts-mls';
import { addressOf } from './credential.js';
import { KEY_RETENTION, LONGEST_KEY_PACKAGE_DAYS } from './suite.js';

const DAY = 86_400n;

/**
 * How the library judges what it is given. A leaf must name an OCM Address (OCM-MLS ); that a successor
 * names the same one is for the Commit policy. Lifetimes are judged when we commit an Add, at `now`: a Commit that is
 * followed later, or a tree that is joined, may hold leaves that were valid once (RFC 9420 section 7.3). Without `now`
 * nothing can be added.
 */
export const clientConfig = (now?: Date): ClientConfig => ({
  keyRetentionConfig: KEY_RETENTION,
  lifetimeConfig: {
    maximumTotalLifetime: BigInt(LONGEST_KEY_PACKAGE_DAYS) * DAY,
    validateLifetimeOnReceive: false,
    ...(now && { currentTime: BigInt(Math.floor(now.getTime() / 1000)) }),
  },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: defaultPaddingConfig,
  authService: { validateCredential: async (credential) => addressOf(credential) !== undefined },
});
