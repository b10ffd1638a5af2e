import type { Filter } from './filter.js';
import { folded } from './matching.js';
import { resolve, type ResourceType } from './schema.js';

/** What the database finds by an index: addresses, folded names (of a User the userName) and the like. */
export interface Keys {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  /** Of a User, folded. */
  readonly displayNames: readonly string[];
  /** Of a Group: addresses of members. Of a User: addresses of groups. */
  readonly related: readonly string[];
  readonly externalIds: readonly string[];
}

export const NOTHING: Keys = { ids: [], names: [], displayNames: [], related: [], externalIds: [] };

/** The attributes whose values the database finds, by type and name. */
const INDEXED: Readonly<Record<ResourceType['name'], Readonly<Record<string, (value: string) => Partial<Keys>>>>> = {
  Group: {
    id: (value) => ({ ids: [value] }),
    displayName: (value) => ({ names: [folded(value)] }),
    'members.value': (value) => ({ related: [value] }),
    externalId: (value) => ({ externalIds: [value] }),
  },
  User: {
    id: (value) => ({ ids: [value] }),
    userName: (value) => ({ names: [folded(value)] }),
    displayName: (value) => ({ displayNames: [folded(value)] }),
    'groups.value': (value) => ({ related: [value] }),
    externalId: (value) => ({ externalIds: [value] }),
  },
};

/**
 * Keys that find every resource that the filter can match, and maybe others; `undefined` when no keys do, and all have to
 * be gone through.
 */
export function narrowing(type: ResourceType, filter: Filter): Keys | undefined {
  switch (filter.kind) {
    case 'and': {
      const found = filter.parts.flatMap((part) => narrowing(type, part) ?? []);
      return found.sort((one, other) => sizeOf(one) - sizeOf(other))[0];
    }
    case 'or': {
      const found = filter.parts.map((part) => narrowing(type, part));
      return found.every((keys) => keys !== undefined) ? found.reduce(union, NOTHING) : undefined;
    }
    case 'element': {
      const { path, of } = filter;
      // What is asked of one value is asked of the attribute.
      return narrowing(
        type,
        outward(of, (name) => ({ ...path, sub: name })),
      );
    }
    case 'compare': {
      if (filter.operator !== 'eq' || typeof filter.value !== 'string') return undefined;
      const keys = keyOf(type, filter.path)?.(filter.value);
      return keys && { ...NOTHING, ...keys };
    }
    case 'not':
    case 'present':
      return undefined;
    default:
      return filter satisfies never;
  }
}

/** Whether nothing can be found by the keys. */
export const isNothing = (keys: Keys): boolean => sizeOf(keys) === 0;

const sizeOf = ({ ids, names, displayNames, related, externalIds }: Keys) =>
  ids.length + names.length + displayNames.length + related.length + externalIds.length;

const union = (one: Keys, other: Keys): Keys => ({
  ids: [...one.ids, ...other.ids],
  names: [...one.names, ...other.names],
  displayNames: [...one.displayNames, ...other.displayNames],
  related: [...one.related, ...other.related],
  externalIds: [...one.externalIds, ...other.externalIds],
});

function keyOf(type: ResourceType, path: Parameters<typeof resolve>[1]) {
  const found = resolve(type, path);
  if (!found || found.extension !== undefined) return undefined;
  const { attribute, sub } = found;
  const inner = sub?.name ?? (attribute.type === 'complex' ? 'value' : undefined);
  const name = inner === undefined ? attribute.name : `${attribute.name}.${inner}`;
  return Object.hasOwn(INDEXED[type.name], name) ? INDEXED[type.name][name] : undefined;
}

/** The filter of one value with its names made those of the attribute; what cannot be, is left as it is. */
function outward(filter: Filter, rename: (name: string) => Parameters<typeof resolve>[1]): Filter {
  if (filter.kind === 'and' || filter.kind === 'or') {
    return { ...filter, parts: filter.parts.map((part) => outward(part, rename)) };
  }
  return filter.kind === 'compare' ? { ...filter, path: rename(filter.path.name) } : filter;
}
