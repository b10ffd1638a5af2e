import type { Unsettled, Wish } from '../groups/change.js';
import type { OcmAddress } from '../kernel/address.js';
import { valueOf } from './assertion.js';
import { patched } from './patch.js';
import type { Operation } from './patch-request.js';
import { isObject, type Json, type JsonObject, named } from './schema.js';
import { FEDERATED_GROUP, GROUPS } from './schemas.js';

const MEMBERS = named(GROUPS.schema.attributes, 'members')!;

type InGroup = Omit<Wish, 'group' | 'actor'>;

/** What has to be asked for so that a group comes to be as a client wants it. */
export interface Goal {
  /** What nobody asked for yet. */
  readonly wishes: readonly InGroup[];
  /** What the client asks for is asked for already. */
  readonly isPending: boolean;
}

const addressesIn = (values: Json | undefined): OcmAddress[] =>
  (Array.isArray(values) ? (values as readonly Json[]) : []).map(
    (one) => (isObject(one) ? one['value'] : one) as OcmAddress,
  );
export const membersOf = (group: JsonObject): OcmAddress[] => addressesIn(group['members']);
export const adminsOf = (group: JsonObject): OcmAddress[] => {
  const facts = group[FEDERATED_GROUP.id];
  return addressesIn(isObject(facts) ? facts['admins'] : undefined);
};

/**
 * Compares a group as it is with how it is to be. What is open already is not asked for again. A removed admin loses the
 * role as well, and need not be dismissed.
 */
export function goalOf(now: JsonObject, meant: JsonObject, open: readonly Unsettled[]): Goal {
  const [members, admins] = [difference(membersOf(now), membersOf(meant)), difference(adminsOf(now), adminsOf(meant))];
  const gone = new Set(members.less);
  const wanted: InGroup[] = [
    ...members.more.map((subject): InGroup => ({ kind: 'add', subject })),
    ...admins.more.map((subject): InGroup => ({ kind: 'appoint', subject })),
    ...admins.less.filter((admin) => !gone.has(admin)).map((subject): InGroup => ({ kind: 'dismiss', subject })),
    ...members.less.map((subject): InGroup => ({ kind: 'remove', subject })),
  ];
  const asked = new Set(open.map(({ kind, subject }) => `${kind === 'leave' ? 'remove' : kind} ${subject}`));
  const wishes = wanted.filter(({ kind, subject }) => !asked.has(`${kind} ${subject}`));
  return { wishes, isPending: wanted.length > wishes.length };
}

/**
 * Which of the open changes are taken back by who asked for them: who is removed again before being a member, and who is
 * added again before being removed. Only operations that add and remove say so; what replaces all members speaks of those
 * who are members now.
 */
export function takenBack(operations: readonly Operation[], open: readonly Unsettled[], by: OcmAddress): Unsettled[] {
  const own = open.filter(({ actor }) => actor === by);
  const [adds, removes] = [own.filter(({ kind }) => kind === 'add'), own.filter(({ kind }) => kind === 'remove')];
  const coming = { members: adds.map(({ subject }) => ({ value: subject })) };
  const kept = new Set(
    membersOf(
      patched(
        GROUPS,
        coming,
        operations.filter(({ op }) => op === 'remove'),
      ),
    ),
  );
  const again = new Set(operations.flatMap(addedBy));
  return [...adds.filter(({ subject }) => !kept.has(subject)), ...removes.filter(({ subject }) => again.has(subject))];
}

/** The members whom an operation adds by name. */
function addedBy({ op, target, value }: Operation): OcmAddress[] {
  if (op !== 'add') return [];
  if (target) {
    const isAll = 'attribute' in target && target.attribute === MEMBERS && !target.filter;
    return isAll ? addressesIn(valueOf(MEMBERS, value)) : [];
  }
  const [, said] = Object.entries(value as JsonObject).find(([name]) => name.toLowerCase() === 'members') ?? [];
  return said === undefined ? [] : addressesIn(valueOf(MEMBERS, said));
}

function difference(before: readonly OcmAddress[], after: readonly OcmAddress[]) {
  const [were, are] = [new Set(before), new Set(after)];
  return { more: [...are].filter((one) => !were.has(one)), less: [...were].filter((one) => !are.has(one)) };
}
