import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { host } from '../../src/kernel/address.js';
import { Fault } from '../../src/kernel/fault.js';
import { CONFIG_VARIABLES, configProblems, configTable } from '../../src/platform/config-table.js';
import { configFrom, type ConfigProblem } from '../../src/platform/config.js';

const PUBLIC = { COVEY_DOMAIN: 'cloud.example.org' };
const KEY = Buffer.alloc(32, 7).toString('base64url');

function problems(env: Record<string, string>): ConfigProblem[] {
  try {
    configFrom(env);
  } catch (error) {
    expect((error as Fault).code).toBe('config.wrong');
    return (error as Fault).facts['problems'] as ConfigProblem[];
  }
  throw new Error('accepted');
}
const wrong = (env: Record<string, string>) => problems(env).map(({ variable }) => variable);

test('a domain is all that must be given', () => {
  const config = configFrom(PUBLIC);
  expect(config).toMatchObject({
    domain: 'cloud.example.org',
    publicUrl: 'https://cloud.example.org',
    endPoint: 'https://cloud.example.org/ocm',
    listen: { host: '127.0.0.1', port: 8400 },
    dataFolder: './data',
    development: false,
    trustedProxies: [],
    tokenAlgorithm: 'ES256',
    tokenLifetimeMs: 300_000,
    compat: [],
    logLevel: 'info',
  });
  expect(config.databaseUrl).toBeUndefined();
  expect(config.sealingKeys).toBeUndefined();
});

test('an empty variable counts as absent', () => {
  expect(configFrom({ ...PUBLIC, COVEY_LISTEN: '', DATABASE_URL: '' }).listen.port).toBe(8400);
});

test('all wrong variables are listed at once, each with its name and what was expected', () => {
  const env = {
    COVEY_DOMAIN: 'not a host',
    COVEY_LISTEN: '8400',
    COVEY_TOKEN_LIFETIME: 'soon',
    COVEY_TRUSTED_PROXIES: '10.0.0.0/8, x',
  };
  expect(wrong(env)).toEqual(['COVEY_DOMAIN', 'COVEY_LISTEN', 'COVEY_TRUSTED_PROXIES', 'COVEY_TOKEN_LIFETIME']);
  expect(configProblems(problems(env))).toContain(
    '  COVEY_TOKEN_LIFETIME: expected a whole number from 10 to 86400 (seconds), got "soon"',
  );
});

test.each([
  'https://cloud.example.org',
  'https://10.0.0.5/nextcloud?x',
  'ftp://10.0.0.5',
  '10.0.0.5:80',
  'http://a:b@10.0.0.5',
])('%s is no file platform to stand in front of', (url) =>
  expect(wrong({ ...PUBLIC, COVEY_UPSTREAM: url })).toEqual(['COVEY_UPSTREAM']),
);

test('a file platform has an address of its own, which may be private', () => {
  expect(configFrom({ ...PUBLIC, COVEY_UPSTREAM: 'http://10.0.0.5:8080/' }).upstream).toBe('http://10.0.0.5:8080');
  const installed = { ...PUBLIC, COVEY_UPSTREAM: 'http://10.0.0.5/nextcloud/' };
  expect(configFrom(installed).upstream).toBe('http://10.0.0.5/nextcloud');
  expect(configFrom(PUBLIC).upstream).toBeUndefined();
});

test('no domain is a wrong domain', () => {
  expect(wrong({})).toEqual(['COVEY_DOMAIN']);
});

test('a secret is not repeated in what is said about it', () => {
  const found = problems({
    ...PUBLIC,
    COVEY_SEALING_KEY: 'hunter2',
    COVEY_API_KEY: 'hunter2',
    DATABASE_URL: 'mysql://u:hunter2@h/d',
    COVEY_METRICS_TOKEN: 'hunter2',
  });
  expect(found).toHaveLength(4);
  expect(JSON.stringify(found)).not.toContain('hunter2');
});

describe('development', () => {
  test.each(['localhost:8400', '127.0.0.1:8400', '[::1]:8400', 'a.localhost'])(
    'serves %s over plain HTTP',
    (domain) => {
      expect(configFrom({ COVEY_DOMAIN: domain, COVEY_DEVELOPMENT: 'on' }).publicUrl).toBe(`http://${domain}`);
    },
  );
  test('is refused together with a public domain', () => {
    expect(wrong({ ...PUBLIC, COVEY_DEVELOPMENT: 'on' })).toEqual(['COVEY_DEVELOPMENT']);
  });
  test('is refused together with a public URL', () => {
    const env = { COVEY_DOMAIN: 'localhost', COVEY_DEVELOPMENT: 'on', COVEY_PUBLIC_URL: 'http://cloud.example.org' };
    expect(wrong(env)).toEqual(['COVEY_PUBLIC_URL']);
  });
  test('must be switched on for a loopback domain', () => {
    expect(wrong({ COVEY_DOMAIN: 'localhost:8400' })).toEqual(['COVEY_DOMAIN']);
  });
  test('must be switched on for plain HTTP', () => {
    expect(wrong({ ...PUBLIC, COVEY_PUBLIC_URL: 'http://cloud.example.org' })).toEqual(['COVEY_PUBLIC_URL']);
  });
  test('takes on and off only', () => {
    expect(wrong({ ...PUBLIC, COVEY_DEVELOPMENT: 'true' })).toEqual(['COVEY_DEVELOPMENT']);
  });
});

test.each([
  ['https://x.example.org/covey/', 'https://x.example.org/covey'],
  ['https://x.example.org', 'https://x.example.org'],
])('the public URL %s is kept as %s', (given, kept) => {
  expect(configFrom({ ...PUBLIC, COVEY_PUBLIC_URL: given }).publicUrl).toBe(kept);
});

test.each([
  'https://x.example.org/?a',
  'https://x.example.org/#a',
  'https://u:p@x.example.org',
  'ftp://x.example.org',
  'x.example.org',
])('the public URL %s is refused', (given) =>
  expect(wrong({ ...PUBLIC, COVEY_PUBLIC_URL: given })).toEqual(['COVEY_PUBLIC_URL']),
);

test('R-086 the takeover time is longer than the update deadline, and that than the interval', () => {
  const times = (interval: number, deadline: number, takeover: number) => ({
    ...PUBLIC,
    COVEY_UPDATE_INTERVAL: String(interval),
    COVEY_UPDATE_DEADLINE: String(deadline),
    COVEY_TAKEOVER_TIME: String(takeover),
  });
  expect(configFrom(times(600, 1200, 1800))).toMatchObject({
    updateIntervalMs: 600_000,
    updateDeadlineMs: 1_200_000,
    takeoverTimeMs: 1_800_000,
  });
  expect(wrong(times(600, 1800, 1800))).toEqual(['COVEY_TAKEOVER_TIME']);
  expect(wrong(times(1200, 1200, 1800))).toEqual(['COVEY_UPDATE_DEADLINE']);
  expect(wrong({ ...PUBLIC, COVEY_UPDATE_DEADLINE: '200000' })).toEqual(['COVEY_TAKEOVER_TIME']);
});

test('with PostgreSQL the sealing key must be given, since replicas share it', () => {
  const env = { ...PUBLIC, DATABASE_URL: 'postgres://covey@db/covey' };
  expect(wrong(env)).toEqual(['COVEY_SEALING_KEY']);
  expect(configFrom({ ...env, COVEY_SEALING_KEY: KEY }).sealingKeys).toEqual([new Uint8Array(32).fill(7)]);
  expect(configFrom({ ...env, COVEY_SEALING_KEY_FILE: '/run/key' }).sealingKeyFile).toBe('/run/key');
});

test('a key and a file of it are one too many', () => {
  expect(wrong({ ...PUBLIC, COVEY_SEALING_KEY: KEY, COVEY_SEALING_KEY_FILE: '/k' })).toEqual([
    'COVEY_SEALING_KEY_FILE',
  ]);
  expect(wrong({ ...PUBLIC, COVEY_API_KEY: 'k'.repeat(32), COVEY_API_KEY_FILE: '/k' })).toEqual(['COVEY_API_KEY_FILE']);
});

test('several sealing keys may be given for rotation', () => {
  expect(configFrom({ ...PUBLIC, COVEY_SEALING_KEY: `${KEY},${KEY}=` }).sealingKeys).toHaveLength(2);
});

test.each(['c2hvcnQ', 'not base64url!', ','])('the sealing key "%s" is refused', (given) => {
  expect(wrong({ ...PUBLIC, COVEY_SEALING_KEY: given })).toEqual(['COVEY_SEALING_KEY']);
});

test('proxies are addresses and ranges', () => {
  const env = { ...PUBLIC, COVEY_TRUSTED_PROXIES: '10.0.0.1, 192.168.0.0/16 ::1' };
  expect(configFrom(env).trustedProxies).toEqual(['10.0.0.1/32', '192.168.0.0/16', '::1/128']);
});

test('old wire forms are understood from the named peers only, or from all', () => {
  const some = configFrom({ ...PUBLIC, COVEY_COMPAT: 'Old.example.org,older.example.org:8443' });
  expect([some.isCompatible(host('old.example.org')), some.isCompatible(host('new.example.org'))]).toEqual([
    true,
    false,
  ]);
  expect(configFrom({ ...PUBLIC, COVEY_COMPAT: '*' }).isCompatible(host('new.example.org'))).toBe(true);
});

test('the longest wait between deliveries is not shorter than the first', () => {
  const env = { ...PUBLIC, COVEY_DELIVERY_BACKOFF_FIRST: '60', COVEY_DELIVERY_BACKOFF_LONGEST: '30' };
  expect(wrong(env)).toEqual(['COVEY_DELIVERY_BACKOFF_LONGEST']);
});

test.each(['[::1]:1', '0.0.0.0:0', 'localhost:65535'])('listens on %s', (listen) => {
  expect(configFrom({ ...PUBLIC, COVEY_LISTEN: listen }).listen.host).toBe(listen.replace(/^\[|\]?:[0-9]+$/g, ''));
});

test('the table of the README has every variable, once', () => {
  const names = CONFIG_VARIABLES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(configTable().split(`\n| \`${name}\` |`)).toHaveLength(2);
});

test('the README shows the table that the code knows (vitest -u writes it)', async () => {
  const readme = readFileSync('README.md', 'utf8');
  const [from, to] = ['<!-- variables -->\n', '<!-- /variables -->'].map((mark) => readme.indexOf(mark));
  expect(from, 'the marks are there').toBeGreaterThan(0);
  const held = `${readme.slice(0, from)}<!-- variables -->\n${configTable()}\n${readme.slice(to)}`;
  await expect(held).toMatchFileSnapshot('../../README.md');
});
