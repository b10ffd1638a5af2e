import { attributePath } from './attribute-path.js';
import { type Attribute, type Json, type JsonObject, type Named, resolve, type ResourceType } from './schema.js';

/** Which attributes a client wants, as it names them. RFC 7644 section 3.9 */
export interface Wish {
  readonly attributes?: readonly string[] | undefined;
  readonly excludedAttributes?: readonly string[] | undefined;
}

/** What is named in a wish: an attribute, a sub-attribute, or all of an extension. Unknown names ask for nothing. */
type Choice = Named | { readonly extension: string };

/**
 * The resource with what was wished for alone. What is always returned stays; what is excluded goes, also of what was
 * named. RFC 7644 section 3.9
 */
export function project(
  type: ResourceType,
  resource: JsonObject,
  { attributes, excludedAttributes = [] }: Wish,
): JsonObject {
  const wanted = attributes && choices(type, attributes);
  const unwanted = choices(type, excludedAttributes);
  return mapped(resource, (name, value) => {
    const extension = type.extensions.find(({ id }) => id === name);
    if (!extension) return kept(value, resolve(type, { name })!.attribute, wanted, unwanted);
    const of = (all: readonly Choice[]) => all.filter((choice) => choice.extension === extension.id);
    if (of(unwanted).some((choice) => !('attribute' in choice))) return undefined;
    const inside = wanted && of(wanted).every((choice) => 'attribute' in choice) ? of(wanted) : undefined;
    const rest = mapped(value as JsonObject, (inner, held) => {
      const { attribute } = resolve(type, { schema: extension.id, name: inner })!;
      return wanted && of(wanted).length === 0 ? undefined : kept(held, attribute, inside, of(unwanted));
    });
    return Object.keys(rest).length === 0 ? undefined : rest;
  });
}

/** Whether an attribute can be part of the answer, so that it need not be read otherwise. */
export function isWished(type: ResourceType, name: string, { attributes, excludedAttributes = [] }: Wish): boolean {
  const isNamed = (choice: Choice) =>
    'attribute' in choice && choice.extension === undefined && choice.attribute.name === name;
  const isExcluded = choices(type, excludedAttributes).some((choice) => isNamed(choice) && !('sub' in choice));
  return !isExcluded && (!attributes || choices(type, attributes).some(isNamed));
}

const choices = (type: ResourceType, names: readonly string[]): Choice[] =>
  names.flatMap((text): Choice[] => {
    const extension = type.extensions.find(({ id }) => id.toLowerCase() === text.toLowerCase());
    const path = extension ? undefined : attributePath(text);
    const found = extension ? { extension: extension.id } : path && resolve(type, path);
    return found ? [found] : [];
  });

function kept(
  value: Json,
  attribute: Attribute,
  wanted: readonly Choice[] | undefined,
  unwanted: readonly Choice[],
): Json | undefined {
  if (attribute.returned === 'always') return value;
  const of = (all: readonly Choice[]) =>
    all.flatMap((one) => ('attribute' in one && one.attribute === attribute ? [one] : []));
  if (wanted && of(wanted).length === 0) return undefined;
  if (of(unwanted).some(({ sub }) => !sub)) return undefined;
  const subs = wanted && of(wanted).every(({ sub }) => sub) ? of(wanted).map(({ sub }) => sub!.name) : undefined;
  const withoutSubs = of(unwanted).map(({ sub }) => sub!.name);
  if (!subs && withoutSubs.length === 0) return value;
  const within = (one: Json) =>
    mapped(one as JsonObject, (name, held) =>
      (subs?.includes(name) ?? true) && !withoutSubs.includes(name) ? held : undefined,
    );
  return Array.isArray(value) ? (value as readonly Json[]).map(within) : within(value);
}

const mapped = (object: JsonObject, change: (name: string, value: Json) => Json | undefined): JsonObject =>
  Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      const changed = change(name, value);
      return changed === undefined ? [] : [[name, changed]];
    }),
  );
