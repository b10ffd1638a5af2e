import { list, seconds, target } from './config-readers.js';

/** The environment variables of the change feed and its webhooks. */
export const FEED_VARIABLES = {
  privateTargets: {
    name: 'COVEY_PRIVATE_TARGETS',
    default: '',
    expected: 'IP addresses, CIDR ranges or host names, separated by commas',
    meaning:
      'Private addresses that webhooks and Integration APIs may be at, also over plain HTTP. Loopback and link-local addresses must be listed one by one. Other servers gain nothing by it.',
    read: list(target),
  },
  feedAgeMs: {
    name: 'COVEY_FEED_AGE',
    default: '2592000',
    ...seconds(86_400, 315_360_000),
    meaning: 'How long the events of the change feed are kept for who has not read them.',
  },
} as const;
