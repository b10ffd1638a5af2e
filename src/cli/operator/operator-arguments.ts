import { parseArgs } from 'node:util';

/** One request to the REST interface, and what becomes of its answer. */
export interface OperatorRequest {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1`. */
  readonly path: string;
  readonly body?: Readonly<Record<string, string | number | boolean>>;
  readonly screen: Screen;
}

export type Screen =
  | 'groups'
  | 'group'
  | 'approvals'
  | 'approval'
  | 'peers'
  | 'peer'
  | 'tried'
  | 'lines'
  | 'keys'
  | 'rotations'
  | 'rotation'
  | 'checks'
  | 'trust'
  | 'providers'
  | 'provider'
  | 'done';

export interface OperatorArguments {
  readonly request: OperatorRequest;
  /** The answer as it came, instead of a screen. */
  readonly json: boolean;
  /** Where the service answers; left out, where this environment says that it listens. */
  readonly url?: string;
}

export const OPERATOR_USAGE = `usage: npm run covey -- COMMAND [--json] [--url URL]

  groups                              all groups that this server knows
  group ADDRESS                       one group: members, admins, warnings, last Commit
  approvals ADMIN [--state STATE]     what an admin of this server is asked to approve
  approve ID --by ADMIN               approve it
  decline ID --by ADMIN --reason WHY  decline it
  deliveries                          the servers that were written to, and how they are
  delivery SERVER                     one of them: lanes, dead and refused letters
  try-again SERVER                    send all that waits for a server again now
  audit [--group ADDRESS]             who did or approved what, as JSON lines
  keys                                the keys that sign, and those that seal the database
  rotate-key KIND [--how at-once]     a new key: http signs messages, token signs access tokens
  new-file-keys [--state STATE]       files that are to be encrypted under a new key, and how far that is
  new-file-key SHARE                  wish a new key for a shared file, whose key may have leaked
  trust                               policy, lists of providers, and patterns that allow or deny
  providers [--state STANDING]        other servers, with their standing (allowed, held, refused) and why
  provider SERVER                     how one stands
  approve-provider SERVER --reason WHY   let it federate; likewise refuse-provider, forget-provider,
                                      quarantine and release
  set-provider SERVER --reason WHY [--limit PERCENT] [--compatible yes|no]
                                      how much it may ask, and whether its old wire forms are taken
  allow PATTERN --reason WHY          put it on the list of those who may federate; likewise deny,
                                      and off it again: unallow, undeny
  doctor [--peer SERVER]              look at this server as others do

The API key is that of COVEY_API_KEY, COVEY_API_KEY_FILE, or the data folder (COVEY_DATA).`;

type Options = Readonly<
  Partial<Record<'by' | 'reason' | 'state' | 'group' | 'how' | 'peer' | 'limit' | 'compatible', string>>
>;
interface CommandForm {
  readonly operands: number;
  readonly needs?: readonly (keyof Options)[];
  readonly takes?: readonly (keyof Options)[];
  readonly request: (operand: string, options: Options) => OperatorRequest;
}

const get = (path: string, screen: Screen): OperatorRequest => ({ method: 'GET', path, screen });

const query = (values: Readonly<Record<string, string | undefined>>): string => {
  const given = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
};

const deciding = (act: string): CommandForm => ({
  operands: 1,
  needs: ['reason'],
  request: (server, { reason = '' }) => ({
    method: 'POST',
    path: `/trust/providers/${encodeURIComponent(server)}/${act}`,
    body: { why: reason },
    screen: 'provider',
  }),
});

const ruling = (effect: 'allow' | 'deny', path: string): CommandForm => ({
  operands: 1,
  needs: ['reason'],
  request: (pattern, { reason = '' }) => ({
    method: 'POST',
    path,
    body: { effect, pattern, why: reason },
    screen: 'done',
  }),
});

const FORMS: Readonly<Record<string, CommandForm>> = {
  groups: { operands: 0, request: () => get('/groups', 'groups') },
  group: { operands: 1, request: (address) => get(`/groups/${encodeURIComponent(address)}`, 'group') },
  approvals: {
    operands: 1,
    takes: ['state'],
    request: (admin, { state }) => get(`/approvals${query({ admin, state })}`, 'approvals'),
  },
  approve: {
    operands: 1,
    needs: ['by'],
    request: (id, { by = '' }) => ({
      method: 'POST',
      path: `/approvals/${encodeURIComponent(id)}/approve`,
      body: { by },
      screen: 'approval',
    }),
  },
  decline: {
    operands: 1,
    needs: ['by', 'reason'],
    request: (id, { by = '', reason = '' }) => ({
      method: 'POST',
      path: `/approvals/${encodeURIComponent(id)}/decline`,
      body: { by, reason },
      screen: 'approval',
    }),
  },
  deliveries: { operands: 0, request: () => get('/deliveries', 'peers') },
  delivery: { operands: 1, request: (peer) => get(`/deliveries/peers/${encodeURIComponent(peer)}`, 'peer') },
  'try-again': {
    operands: 1,
    request: (peer) => ({
      method: 'POST',
      path: `/deliveries/peers/${encodeURIComponent(peer)}/try-again`,
      screen: 'tried',
    }),
  },
  keys: { operands: 0, request: () => get('/keys', 'keys') },
  'rotate-key': {
    operands: 1,
    takes: ['how'],
    request: (kind, { how = 'with-overlap' }) => ({
      method: 'POST',
      path: `/keys/${encodeURIComponent(kind)}/rotate`,
      body: { how },
      screen: 'keys',
    }),
  },
  'new-file-keys': {
    operands: 0,
    takes: ['state'],
    request: (_, { state }) => get(`/rotations${query({ state })}`, 'rotations'),
  },
  'new-file-key': {
    operands: 1,
    request: (share) => ({ method: 'POST', path: '/rotations', body: { share }, screen: 'rotation' }),
  },
  doctor: { operands: 0, takes: ['peer'], request: (_, { peer }) => get(`/doctor${query({ peer })}`, 'checks') },
  trust: { operands: 0, request: () => get('/trust', 'trust') },
  providers: {
    operands: 0,
    takes: ['state'],
    request: (_, { state }) => get(`/trust/providers${query({ standing: state })}`, 'providers'),
  },
  provider: { operands: 1, request: (server) => get(`/trust/providers/${encodeURIComponent(server)}`, 'provider') },
  'approve-provider': deciding('approve'),
  'refuse-provider': deciding('refuse'),
  'forget-provider': deciding('forget'),
  quarantine: deciding('quarantine'),
  release: deciding('release'),
  'set-provider': {
    operands: 1,
    needs: ['reason'],
    takes: ['limit', 'compatible'],
    request: (server, { reason = '', limit, compatible }) => ({
      method: 'POST',
      path: `/trust/providers/${encodeURIComponent(server)}/settings`,
      body: {
        why: reason,
        ...(limit === undefined ? {} : { limitPercent: Number(limit) }),
        ...(compatible === undefined ? {} : { compatible: compatible === 'yes' }),
      },
      screen: 'provider',
    }),
  },
  allow: ruling('allow', '/trust/rules'),
  deny: ruling('deny', '/trust/rules'),
  unallow: ruling('allow', '/trust/rules/remove'),
  undeny: ruling('deny', '/trust/rules/remove'),
  audit: { operands: 0, takes: ['group'], request: (_, { group }) => get(`/audit${query({ group })}`, 'lines') },
};

/** `undefined` for what is not understood. */
export function operatorArguments(args: readonly string[]): OperatorArguments | undefined {
  const given = parsed(args);
  if (!given) return undefined;
  const { json = false, url, ...options } = given.values;
  const [command = '', ...operands] = given.positionals;
  const form = Object.hasOwn(FORMS, command) ? FORMS[command] : undefined;
  if (!form || operands.length !== form.operands || operands.includes('')) return undefined;
  const { needs = [], takes = [] } = form;
  const names = Object.keys(options) as (keyof Options)[];
  if (needs.some((name) => !options[name]) || names.some((name) => ![...needs, ...takes].includes(name))) {
    return undefined;
  }
  return { request: form.request(operands[0] ?? '', options), json, ...(url ? { url } : {}) };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        url: { type: 'string' },
        by: { type: 'string' },
        reason: { type: 'string' },
        state: { type: 'string' },
        group: { type: 'string' },
        how: { type: 'string' },
        peer: { type: 'string' },
        limit: { type: 'string' },
        compatible: { type: 'string' },
      },
    });
  } catch {
    return undefined;
  }
}
