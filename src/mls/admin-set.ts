import type { OcmAddress } from '../kernel/address.js';

type Admins = readonly OcmAddress[];

const same = (a: Admins, b: Admins): boolean => a.length === b.length && a.every((admin, at) => admin === b[at]);

/** Whether those who stay admins stand in the same order, each once. OCM-MLS R-071 */
export const keepsOrder = (before: Admins, after: Admins): boolean =>
  same(
    before.filter((admin) => after.includes(admin)),
    after.filter((admin) => before.includes(admin)),
  );

/** Whether those who become admins stand behind all others, each once. OCM-MLS R-070 */
export function appendsOnly(before: Admins, after: Admins): boolean {
  const appended = after.slice(after.filter((admin) => before.includes(admin)).length);
  return appended.every((admin) => !before.includes(admin)) && new Set(appended).size === appended.length;
}

/** The admin set once the membership of some has ended: theirs end with it. OCM-MLS */
export const withoutDeparted = (admins: Admins, members: ReadonlySet<OcmAddress>): OcmAddress[] =>
  admins.filter((admin) => members.has(admin));
