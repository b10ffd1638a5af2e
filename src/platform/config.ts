import ipaddr from 'ipaddr.js';
import type { z } from 'zod';
import type { Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { VARIABLES } from './config-variables.js';

type Name = keyof typeof VARIABLES;
type Read<K extends Name> = z.output<(typeof VARIABLES)[K]['read']>;
/** Variables without a default may be absent; cross-field rules decide when. */
type Optional = { [K in Name]: (typeof VARIABLES)[K]['default'] extends string ? never : K }[Name] | 'sealingKeyFile';
type Settings = Readonly<
  { [K in Exclude<Name, Optional>]: Read<K> } & { [K in Exclude<Optional, 'domain'>]?: Read<K> } & { domain: Host }
>;

/** What was configured, checked once. A field is called as in `VARIABLES`; times are in milliseconds. */
export interface Config extends Settings {}
export class Config {
  constructor(settings: Settings) {
    Object.assign(this, settings);
  }

  /** The `endPoint` of the discovery document. OCM core, Discovery */
  get endPoint(): string {
    return `${this.publicUrl}/ocm`;
  }

  /** The path at which our public URL begins, without a slash at the end; nothing when it is the whole host. */
  get basePath(): string {
    return new URL(this.publicUrl).pathname.replace(/\/+$/, '');
  }

  /** Whether old wire forms of this peer are understood. */
  isCompatible(peer: Host): boolean {
    return this.compat.includes('*') || this.compat.includes(peer);
  }
}

export interface ConfigProblem {
  readonly variable: string;
  readonly expected: string;
  /** What was found instead; nothing for secrets. */
  readonly given?: string | undefined;
}

/** Names that only this machine answers for. */
const isLoopback = (domain: string): boolean => {
  const name = domain.replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    (ipaddr.isValid(name) && ipaddr.process(name).range() === 'loopback')
  );
};

/**
 * Decides the configuration from the environment. An empty variable counts as absent. Throws `config.wrong` with
 * `problems: ConfigProblem[]`, all of them.
 */
export function configFrom(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: ConfigProblem[] = [];
  const found: Partial<Record<Name, unknown>> = {};
  for (const [field, variable] of Object.entries(VARIABLES) as [Name, (typeof VARIABLES)[Name]][]) {
    const given = env[variable.name] || (variable.default?.includes('<') ? undefined : variable.default);
    if (given === undefined) continue;
    const result = variable.read.safeParse(given);
    if (result.success) found[field] = result.data;
    else problems.push(wrong(field, given));
  }
  if (!problems.some(({ variable }) => variable === VARIABLES.domain.name))
    problems.push(...crossChecks(found as Settings, env));
  if (problems.length > 0) throw new Fault('config.wrong', { problems });
  const settings = found as Settings;
  return new Config({
    ...settings,
    publicUrl: settings.publicUrl ?? `${settings.development ? 'http' : 'https'}://${settings.domain}`,
  });
}

const wrong = (field: Name, given?: string, expected: string = VARIABLES[field].expected): ConfigProblem => {
  const { name, ...rest } = VARIABLES[field];
  return {
    variable: name,
    expected,
    ...('secret' in rest || given === undefined ? {} : { given: given.slice(0, 200) }),
  };
};

/** Rules between several variables; what could not be read is not judged again. */
function crossChecks(found: Partial<Settings>, env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const given = (field: Name) => env[VARIABLES[field].name] || undefined;
  if (found.domain === undefined) return [wrong('domain', undefined, `${VARIABLES.domain.expected}; it must be set`)];
  if (found.development === true && !isLoopback(found.domain)) {
    problems.push(wrong('development', 'on', `off, since ${found.domain} is not a loopback name`));
  }
  if (found.development === false && isLoopback(found.domain)) {
    problems.push(wrong('domain', found.domain, 'a public name (a loopback name needs COVEY_DEVELOPMENT=on)'));
  }
  if (found.development === false && found.publicUrl?.startsWith('http:'))
    problems.push(wrong('publicUrl', found.publicUrl));
  if (found.development === true && found.publicUrl && !isLoopback(new URL(found.publicUrl).host)) {
    problems.push(wrong('publicUrl', found.publicUrl, 'a loopback name, since COVEY_DEVELOPMENT is on'));
  }
  const ownUrl = found.publicUrl ?? `${found.development ? 'http' : 'https'}://${found.domain}`;
  if (found.upstream && new URL(found.upstream).host === new URL(ownUrl).host) {
    problems.push(wrong('upstream', found.upstream));
  }
  for (const [value, file] of [
    ['sealingKeys', 'sealingKeyFile'],
    ['apiKey', 'apiKeyFile'],
  ] as const) {
    if (given(value) && given(file))
      problems.push(wrong(file, given(file), `to be absent when ${VARIABLES[value].name} is set`));
  }
  if (given('databaseUrl') && !given('sealingKeys') && !given('sealingKeyFile')) {
    problems.push(
      wrong(
        'sealingKeys',
        undefined,
        `${VARIABLES.sealingKeys.expected}; it or COVEY_SEALING_KEY_FILE must be set with DATABASE_URL, since replicas share it`,
      ),
    );
  }
  for (const [shorter, longer] of [
    ['updateIntervalMs', 'updateDeadlineMs'],
    ['updateDeadlineMs', 'takeoverTimeMs'], // OCM-MLS R-086
  ] as const) {
    const [least, value] = [found[shorter], found[longer]];
    if (least === undefined || value === undefined || value > least) continue;
    problems.push(wrong(longer, String(value / 1000), `more than ${VARIABLES[shorter].name} (${least / 1000})`));
  }
  const { deliveryFirstDelayMs: first, deliveryLongestDelayMs: longest } = found;
  if (first !== undefined && longest !== undefined && first > longest) {
    problems.push(
      wrong(
        'deliveryLongestDelayMs',
        given('deliveryLongestDelayMs'),
        `at least COVEY_DELIVERY_BACKOFF_FIRST (${first / 1000})`,
      ),
    );
  }
  return problems;
}
