import { providerPattern } from '../kernel/provider-pattern.js';
import { list, oneOf, parsed, seconds, text, whole } from './config-readers.js';

const TRUST_POLICIES = ['open', 'listed', 'approve-first'] as const;
const PATTERNS = {
  expected: 'hosts and patterns such as `*.example.org` or `cloud.example.org:8443`, separated by commas',
  read: list(parsed(providerPattern)),
};

/** The part of `VARIABLES` that is about who may federate with this server. */
export const TRUST_VARIABLES = {
  trustPolicy: {
    name: 'COVEY_TRUST',
    default: 'open',
    ...oneOf(TRUST_POLICIES),
    meaning:
      'Who may federate with this server: everybody, who is on a list, or who is on a list or was approved; others wait for that.',
  },
  trustAllow: {
    name: 'COVEY_TRUST_ALLOW',
    default: '',
    ...PATTERNS,
    meaning: 'Servers that may always federate, beside those that operators allow.',
  },
  trustDeny: {
    name: 'COVEY_TRUST_DENY',
    default: '',
    ...PATTERNS,
    meaning: 'Servers that may never federate. This wins over every list that allows.',
  },
  providersFile: {
    name: 'COVEY_PROVIDERS_FILE',
    default: undefined,
    expected: 'a file with the providers of a mesh, as Reva and ScienceMesh have it (`ocmproviders.json`)',
    meaning: 'A list of servers that may federate. Read again when it changes.',
    read: text,
  },
  directoriesFile: {
    name: 'COVEY_DIRECTORIES',
    default: undefined,
    expected: 'a file with `[{"url": "https://...", "keys": [public JWKs]}]`',
    meaning: 'Directory Services whose signed lists of servers count, with the keys that may sign them.',
    read: text,
  },
  directoryRefreshMs: {
    name: 'COVEY_DIRECTORY_REFRESH',
    default: '3600',
    ...seconds(60, 604_800),
    meaning: 'How often a Directory Service is asked.',
  },
  peerLimitPercent: {
    name: 'COVEY_PEER_LIMIT',
    default: '100',
    ...whole(1, 10_000),
    meaning: 'How much another server may ask of this one, in percent of what is usual; operators can set it for each.',
  },
} as const;
