import { Injectable } from '@nestjs/common';
import { ChangeRepository } from '../groups/change.repository.js';
import { ocmAddress, type OcmAddress } from '../kernel/address.js';
import { Fault, isFault } from '../kernel/fault.js';
import { MembershipRepository } from '../membership/membership.repository.js';
import type { MlsClient } from '../mls/client.repository.js';
import { ClientsService } from '../mls/clients.service.js';
import { Config } from '../platform/config.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { ExternalIdRepository } from './external-id.repository.js';
import { pathsOf } from './filter.js';
import { listResponse, sorted } from './listing.js';
import { folded, matcher } from './matching.js';
import { isNothing, type Keys, narrowing, NOTHING } from './narrowing.js';
import { isWished, project } from './projection.js';
import { groupResource, type Place, placeOf, userResource } from './resources.js';
import type { JsonObject, ResourceType } from './schema.js';
import { GROUPS, USERS } from './schemas.js';
import { MOST_RESOURCES, type Search } from './search-request.js';

const AT_ONCE = 1000;

interface Page {
  readonly keys?: Keys | undefined;
  readonly after?: string | undefined;
  readonly offset?: number | undefined;
  readonly most: number;
}

/** Where resources of one type come from, by address. */
interface Source {
  readonly type: ResourceType;
  page(tx: Tx, page: Page): Promise<JsonObject[]>;
  count(tx: Tx): Promise<number>;
}

/** The users of the domain and the groups that they are in, as SCIM sees them. RFC 7644 section 3.4 */
@Injectable()
export class DirectoryService {
  private readonly place: Place;

  constructor(
    config: Config,
    private readonly db: TransactionService,
    private readonly memberships: MembershipRepository,
    private readonly clients: ClientsService,
    private readonly changes: ChangeRepository,
    private readonly externalIds: ExternalIdRepository,
  ) {
    this.place = placeOf(config);
  }

  /** Whole. Throws `group.not-found`, also for a group that was left, and `client.unknown`, also for users of other domains. */
  one(type: ResourceType, id: string): Promise<JsonObject> {
    return this.db.run((tx) => this.oneIn(tx, type, id));
  }

  /** The same in a transaction of the caller. */
  async oneIn(tx: Tx, type: ResourceType, id: string): Promise<JsonObject> {
    const address = addressOf(id);
    const keys = { ...NOTHING, ids: address ? [address] : [] };
    const [found] = address ? await this.sourceOf(type, true).page(tx, { keys, most: 1 }) : [];
    if (!found) throw unknown(type, id);
    return found;
  }

  /** Whether a resource of the type has that name, in whatever case. */
  async isNamed(tx: Tx, type: ResourceType, name: string): Promise<boolean> {
    const keys = { ...NOTHING, names: [folded(name)] };
    return (await this.sourceOf(type, false).page(tx, { keys, most: 1 })).length > 0;
  }

  /** Throws `scim.filter`, `scim.value`, and `scim.too-many` rather than leave anything out. */
  search(type: ResourceType, search: Search): Promise<JsonObject> {
    return this.found(this.sourceOf(type, needsMembers(search)), search);
  }

  private async found(source: Source, search: Search): Promise<JsonObject> {
    const { startIndex, count } = search;
    const shown = (found: readonly JsonObject[], total: number) =>
      listResponse(
        found.map((resource) => project(source.type, resource, search)),
        total,
        startIndex,
      );
    if (count !== undefined && !search.filter && !search.sortBy) {
      const [found, total] = await this.db.run(async (tx) => [
        await source.page(tx, { offset: startIndex - 1, most: count }),
        await source.count(tx),
      ]);
      return shown(found, total);
    }
    if (!search.filter && (await this.db.statement((tx) => source.count(tx))) > MOST_RESOURCES) throw tooMany();
    const all = await this.all(source, search);
    const end = count === undefined ? all.length : startIndex - 1 + count;
    return shown(all.slice(startIndex - 1, end), all.length);
  }

  /** Everything that matches, in order, gone through piece by piece. */
  private async all(source: Source, { filter, sortBy, descending }: Search): Promise<JsonObject[]> {
    const { type } = source;
    const matches = filter ? matcher(type, filter) : () => true;
    const keys = filter && narrowing(type, filter);
    const found: JsonObject[] = [];
    let after: string | undefined;
    for (let seen = 0, full = !keys || !isNothing(keys); full;) {
      const page = await this.db.run((tx) => source.page(tx, { keys, after, most: AT_ONCE }));
      seen += page.length;
      if (seen > MOST_RESOURCES) throw tooMany();
      found.push(...page.filter(matches));
      after = page.at(-1)?.['id'] as string | undefined;
      full = page.length === AT_ONCE;
    }
    return sortBy ? sorted(type, found, sortBy, descending) : found;
  }

  private sourceOf(type: ResourceType, withMembers: boolean): Source {
    return type === GROUPS ? this.groupSource(withMembers) : this.userSource();
  }

  private groupSource(withMembers: boolean): Source {
    return {
      type: GROUPS,
      page: async (tx, { keys: wanted, ...page }) => {
        const keys = await this.resolved(tx, GROUPS, wanted);
        const rosters = await this.memberships.rosters(tx, { ...page, keys, withMembers });
        const pending = await this.changes.unsettled(tx, { groups: rosters.map(({ mlsGroupId }) => mlsGroupId) });
        const of = grouped(pending, ({ mlsGroupId }) => mlsGroupId);
        const addresses = rosters.map(({ address }) => address);
        const given = await this.externalIds.of(tx, GROUPS, addresses);
        return rosters.map((roster) =>
          groupResource(this.place, roster, of(roster.mlsGroupId), given.get(roster.address)),
        );
      },
      count: (tx) => this.memberships.countFollowed(tx),
    };
  }

  private userSource(): Source {
    return {
      type: USERS,
      page: async (tx, { keys: asked, ...page }) => {
        const keys = await this.resolved(tx, USERS, asked);
        const related = keys ? await this.membersOf(tx, keys.related) : [];
        const wanted = keys && { ...keys, ids: [...keys.ids, ...related] };
        const users = await this.clients.page(tx, { ...page, keys: wanted });
        return this.withGroups(tx, users);
      },
      count: (tx) => this.clients.count(tx),
    };
  }

  /** With the ids of those that have an `externalId` that is looked for. */
  private async resolved(tx: Tx, type: ResourceType, keys: Keys | undefined): Promise<Keys | undefined> {
    if (!keys || keys.externalIds.length === 0) return keys;
    return { ...keys, ids: [...keys.ids, ...(await this.externalIds.find(tx, type, keys.externalIds))] };
  }

  private async membersOf(tx: Tx, groups: readonly string[]): Promise<OcmAddress[]> {
    if (groups.length === 0) return [];
    const keys = { ids: groups, names: [], related: [] };
    const rosters = await this.memberships.rosters(tx, { keys, most: groups.length, withMembers: true });
    return rosters.flatMap(({ members = [] }) => members);
  }

  private async withGroups(tx: Tx, users: readonly MlsClient[]): Promise<JsonObject[]> {
    const addresses = users.map(({ address }) => address);
    const groups = await this.memberships.groupsOfAll(tx, addresses);
    const of = grouped(await this.changes.unsettled(tx, { subjects: addresses }), ({ subject }) => subject);
    const given = await this.externalIds.of(tx, USERS, addresses);
    return users.map((user) => {
      const known = { ...user, groups: groups.get(user.address) ?? [], externalId: given.get(user.address) };
      return userResource(this.place, known, of(user.address));
    });
  }
}

const unknown = (type: ResourceType, id: string) =>
  type === GROUPS ? new Fault('group.not-found', { group: id }) : new Fault('client.unknown', { address: id });

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): (key: string) => readonly T[] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return (key) => groups.get(key) ?? [];
}

const tooMany = () => new Fault('scim.too-many', { most: MOST_RESOURCES });

/** Members are many: they are read when they are shown or asked about. */
function needsMembers({ filter, sortBy, ...wish }: Search): boolean {
  const paths = [...(filter ? pathsOf(filter) : []), ...(sortBy ? [sortBy] : [])];
  return isWished(GROUPS, 'members', wish) || paths.some(({ name }) => name.toLowerCase() === 'members');
}

function addressOf(id: string): OcmAddress | undefined {
  try {
    return ocmAddress(id);
  } catch (error) {
    if (isFault(error, 'address.malformed')) return undefined;
    throw error;
  }
}
