import { host } from '../../src/kernel/address.js';
import { fromUtf8 } from '../../src/kernel/bytes.js';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import type { Opening, Person, Share } from '../support/cast.js';
import { TestClock } from '../support/clock.js';
import type { Environment } from '../support/environment.js';
import { World } from '../support/world.js';

export const ALGORITHMS = ['ES256', 'RS256', 'Ed25519'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** A server and its group `lab`, whose tokens are shown to third parties. */
export interface Lab {
  readonly algorithm: Algorithm;
  readonly domain: string;
  readonly issuer: string;
  readonly group: string;
  readonly alice: Person;
  readonly bob: Person;
  readonly share: Share;
  /** Bound to bob@b.test; issued by the server itself, in exchange for the secret. */
  readonly token: string;
  /** The same for another group of the same server. */
  readonly otherToken: string;
  /** What b.test was given for the share. */
  readonly secret: string;
}

/** A server for each algorithm, and b.test. Third parties look at a real clock, so the world's is near it. */
export function worldOfAlgorithms(): Promise<World> {
  const clock = new TestClock(new Date(Date.now() - 60_000));
  const servers: Record<string, Environment> = { 'b.test': {} };
  for (const algorithm of ALGORITHMS) servers[domainOf(algorithm)] = { COVEY_TOKEN_ALGORITHM: algorithm };
  return World.with(servers, { clockOf: () => clock });
}

export async function labsOf(world: World): Promise<readonly Lab[]> {
  const [bob] = await world.users('bob@b.test');
  const labs: Lab[] = [];
  for (const algorithm of ALGORITHMS) labs.push(await labOf(world, algorithm, bob));
  return labs;
}

async function labOf(world: World, algorithm: Algorithm, bob: Person): Promise<Lab> {
  const domain = domainOf(algorithm);
  const [alice] = await world.users(`alice@${domain}`);
  const opened = async (name: string) => {
    await world.settle();
    return ((await bob.open(name)) as Opening).access_token;
  };
  const group = await alice.createGroup('lab', [bob]);
  const other = await alice.createGroup('other', [bob]);
  const share = await alice.share(group, `data-${algorithm}`);
  const token = await opened(`data-${algorithm}`);
  const [notice] = world.network.sent({ from: host(domain), what: '/ocm/shares' });
  await alice.share(other, `other-${algorithm}`);
  const otherToken = await opened(`other-${algorithm}`);
  return {
    algorithm,
    domain,
    issuer: `https://${domain}`,
    group,
    alice,
    bob,
    share,
    token,
    otherToken,
    secret: parseShareNotice(JSON.parse(fromUtf8(notice!.request.body!))).webdav.sharedSecret,
  };
}

/** A protocol server of that name may ask the server of a lab about tokens; its secret. */
export async function paired(world: World, { domain }: Lab, clientId: string): Promise<string> {
  const made = await world.server(domain).api('POST', '/pairings', { clientId, method: 'client_secret_basic' });
  if (made.status !== 201) throw new Error(`${clientId} was not paired: ${JSON.stringify(made.body)}`);
  return (made.body as { secret: string }).secret;
}

function domainOf(algorithm: Algorithm): string {
  return `${algorithm.toLowerCase()}.test`;
}
