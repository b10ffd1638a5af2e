import { z } from 'zod';
import { host, ocmAddress } from '../kernel/address.js';
import {
  cidr,
  list,
  listen,
  oneOf,
  onOff,
  parsed,
  publicUrl,
  sealingKey,
  seconds,
  text,
  whole,
} from './config-readers.js';
import { TRUST_VARIABLES } from './trust-variables.js';
import { FEED_VARIABLES } from './feed-variables.js';
import { MEMBERSHIP_VARIABLES } from './membership-variables.js';

/** One environment variable: what it is called, what it must look like, what it means. */
interface Variable<T> {
  readonly name: string;
  /** As a person would write it; undefined when there is none. */
  readonly default: string | undefined;
  readonly expected: string;
  readonly meaning: string;
  /** Secrets are not repeated in messages. */
  readonly secret?: boolean;
  readonly read: z.ZodType<T, string>;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const TOKEN_ALGORITHMS = ['ES256', 'RS256', 'Ed25519'] as const;

/** Every environment variable that Covey reads, in the order of the README's table. */
export const VARIABLES = {
  domain: {
    name: 'COVEY_DOMAIN',
    default: undefined,
    expected: 'host or host:port',
    meaning:
      'The OCM domain: what stands behind the "@" of this server\'s users. Required; `npm start` without it runs a development server on `localhost:8400`.',
    read: parsed(host),
  },
  publicUrl: {
    name: 'COVEY_PUBLIC_URL',
    default: 'https://<COVEY_DOMAIN>',
    expected: 'an https:// URL without query, fragment or credentials (http:// in development only)',
    meaning: 'Where other servers reach this one, as they write it.',
    read: publicUrl,
  },
  listen: {
    name: 'COVEY_LISTEN',
    default: '127.0.0.1:8400',
    expected: 'address:port to listen on',
    meaning: 'The socket that is served. In production a reverse proxy that speaks TLS stands in front of it.',
    read: listen,
  },
  dataFolder: {
    name: 'COVEY_DATA',
    default: './data',
    expected: 'a folder',
    meaning: 'The embedded database, the generated keys and the first API key.',
    read: text,
  },
  databaseUrl: {
    name: 'DATABASE_URL',
    default: undefined,
    expected: 'a postgres:// URL',
    meaning:
      'PostgreSQL 15 or later, for production and for several replicas. Without it the embedded database is used.',
    secret: true,
    read: text.regex(/^postgres(ql)?:\/\/\S+$/),
  },
  databasePool: {
    name: 'COVEY_DATABASE_POOL',
    default: '10',
    ...whole(1, 200),
    meaning: 'Connections to PostgreSQL per process. The embedded database has one.',
  },
  databaseTimeoutMs: {
    name: 'COVEY_DATABASE_TIMEOUT',
    default: '10',
    ...seconds(1, 300),
    meaning: 'How long to wait for a connection before answering 503.',
  },
  development: {
    name: 'COVEY_DEVELOPMENT',
    default: 'off',
    expected: 'on or off',
    meaning:
      'Loopback over plain HTTP, for one machine. Refused together with a public domain; without it a loopback domain is refused.',
    read: onOff,
  },
  trustedProxies: {
    name: 'COVEY_TRUSTED_PROXIES',
    default: '',
    expected: 'IP addresses or CIDR ranges, separated by commas',
    meaning: 'Only from these do `X-Forwarded-*` headers count.',
    read: list(cidr),
  },
  sealingKeys: {
    name: 'COVEY_SEALING_KEY',
    default: undefined,
    expected: '32 bytes in base64url; several separated by commas, the first one seals',
    meaning: 'Seals private keys and MLS states in the database. Required (or the file) with `DATABASE_URL`.',
    secret: true,
    read: list(sealingKey).refine((keys) => keys.length > 0),
  },
  sealingKeyFile: {
    name: 'COVEY_SEALING_KEY_FILE',
    default: '<COVEY_DATA>/sealing-key',
    expected: 'a file with sealing keys, one a line, the first one seals',
    meaning:
      'The same from a file. The default file is made on the first run (mode 0600) when there is no `DATABASE_URL`.',
    read: text,
  },
  apiKey: {
    name: 'COVEY_API_KEY',
    default: undefined,
    expected: '32 to 200 letters, digits, "-" or "_"',
    meaning:
      'The first API key, when it should not be generated; needed by replicas that share nothing but PostgreSQL.',
    secret: true,
    read: z.string().regex(/^[A-Za-z0-9_-]{32,200}$/),
  },
  apiKeyFile: {
    name: 'COVEY_API_KEY_FILE',
    default: undefined,
    expected: 'a file that holds one API key',
    meaning: 'The same from a file.',
    read: text,
  },
  tokenAlgorithm: {
    name: 'COVEY_TOKEN_ALGORITHM',
    default: 'ES256',
    ...oneOf(TOKEN_ALGORITHMS),
    meaning: 'Signs access tokens. HTTP signatures are Ed25519 always.',
  },
  tokenLifetimeMs: {
    name: 'COVEY_TOKEN_LIFETIME',
    default: '300',
    ...seconds(10, 86_400),
    meaning: 'How long an access token is valid.',
  },
  upstream: {
    name: 'COVEY_UPSTREAM',
    default: undefined,
    expected: 'an http:// or https:// URL without query, fragment or credentials, not that of this server',
    meaning:
      'The file platform that this server stands in front of: what arrives below `/ocm` and is no federated share is passed on to it. A path is where its discovery document is looked for first.',
    read: publicUrl,
  },
  upstreamTimeoutMs: {
    name: 'COVEY_UPSTREAM_TIMEOUT',
    default: '60',
    ...seconds(1, 3_600),
    meaning: 'How long the file platform may take until it answers, and between two parts of an answer.',
  },
  ...FEED_VARIABLES,
  compat: {
    name: 'COVEY_COMPAT',
    default: '',
    expected: 'hosts separated by commas, or * for every host',
    meaning: 'Peers from which the forms of OCM 1.4 and OCM-MLS -01 are accepted too.',
    read: list(parsed((entry) => (entry === '*' ? '*' : host(entry)))),
  },
  ...TRUST_VARIABLES,
  providerName: {
    name: 'COVEY_PROVIDER_NAME',
    default: 'Covey',
    expected: 'up to 100 characters',
    meaning: 'The name shown to other servers in the discovery document.',
    read: z.string().min(1).max(100),
  },
  logLevel: {
    name: 'COVEY_LOG_LEVEL',
    default: 'info',
    ...oneOf(LOG_LEVELS),
    meaning: 'Logs are JSON lines on stdout.',
  },
  metricsToken: {
    name: 'COVEY_METRICS_TOKEN',
    default: undefined,
    expected: '16 to 200 letters, digits, "-" or "_"',
    meaning: 'Bearer token for `/metrics`. Without it only this machine may read them.',
    secret: true,
    read: z.string().regex(/^[A-Za-z0-9_-]{16,200}$/),
  },
  deliveryLoops: {
    name: 'COVEY_DELIVERY_CONCURRENCY',
    default: '8',
    ...whole(1, 256),
    meaning: 'Lanes of the outbox that are delivered at the same time.',
  },
  deliveryTries: {
    name: 'COVEY_DELIVERY_TRIES',
    default: '200',
    ...whole(1, 100_000),
    meaning: 'Tries before a letter is dead; with the default back-off about eight days.',
  },
  deliveryFirstDelayMs: {
    name: 'COVEY_DELIVERY_BACKOFF_FIRST',
    default: '2',
    ...seconds(1, 86_400),
    meaning: 'Wait after the first failure; doubles from then on, with jitter.',
  },
  deliveryLongestDelayMs: {
    name: 'COVEY_DELIVERY_BACKOFF_LONGEST',
    default: '3600',
    ...seconds(1, 604_800),
    meaning: 'The wait does not grow beyond this.',
  },
  peerTimeoutMs: {
    name: 'COVEY_PEER_TIMEOUT',
    default: '20',
    ...seconds(1, 300),
    meaning: 'For one whole exchange with another server.',
  },
  peerAnswerLimit: {
    name: 'COVEY_PEER_ANSWER_LIMIT',
    default: '8388608',
    ...whole(65_536, 268_435_456),
    meaning: 'Longer answers of other servers are refused (bytes).',
  },
  bodyLimit: {
    name: 'COVEY_BODY_LIMIT',
    default: '4194304',
    ...whole(65_536, 268_435_456),
    meaning: 'Longer request bodies are refused with 413 (bytes).',
  },
  ...MEMBERSHIP_VARIABLES,
  updateIntervalMs: {
    name: 'COVEY_UPDATE_INTERVAL',
    default: '28800',
    ...seconds(60, 315_360_000),
    meaning: 'How often the keys of a leaf are renewed; the leaves of a server are spread over it.',
  },
  updateDeadlineMs: {
    name: 'COVEY_UPDATE_DEADLINE',
    default: '86400',
    ...seconds(120, 315_360_000),
    meaning:
      'A leaf that was not renewed for so long is stale, and its removal is put before the admins. Longer than `COVEY_UPDATE_INTERVAL`; the same on all servers of a federation.',
  },
  takeoverTimeMs: {
    name: 'COVEY_TAKEOVER_TIME',
    default: '129600',
    ...seconds(180, 315_360_000),
    meaning:
      "When a group had no Commit for so long and its first admin's leaf is stale, the next admin's server takes over. Longer than `COVEY_UPDATE_DEADLINE`; the same on all servers of a federation.",
  },
  commitsKeptMs: {
    name: 'COVEY_COMMITS_KEPT',
    default: '2592000',
    ...seconds(86_400, 315_360_000),
    meaning:
      'How long Commits are kept for servers that missed them; the last 100 of each group are kept longer. Who was away for longer has to rejoin.',
  },
  fileKeyRotation: {
    name: 'COVEY_FILE_KEY_ROTATION',
    default: 'rotate',
    ...oneOf(['rotate', 'skip-when-audience-unchanged']),
    meaning:
      'Whether a file gets a new key whenever a user is removed from a group with access, or only when that user has no access through another group.',
  },
  fileKeyReuse: {
    name: 'COVEY_FILE_KEY_REUSE',
    default: '',
    expected: 'addresses of groups, separated by commas',
    meaning:
      'Formal federations: files keep their keys when a user is removed from these. Who was removed can still decrypt whatever comes into his hands.',
    read: list(parsed(ocmAddress)),
  },
  fileKeyAgeMs: {
    name: 'COVEY_FILE_KEY_AGE',
    default: '31536000',
    ...seconds(86_400, 3_153_600_000),
    meaning: 'A file key that is older is replaced, whoever came or went.',
  },
  signingKeyAgeMs: {
    name: 'COVEY_SIGNING_KEY_AGE',
    default: '7776000',
    ...seconds(86_400, 3_153_600_000),
    meaning:
      'When a signing key gets a successor, which is published for six hours before it signs. The one before stays published until nothing that it signed is valid.',
  },
  shutdownTimeoutMs: {
    name: 'COVEY_SHUTDOWN_TIMEOUT',
    default: '20',
    ...seconds(1, 600),
    meaning: 'How long a stop waits for open requests and deliveries.',
  },
} as const satisfies Record<string, Variable<unknown>>;
