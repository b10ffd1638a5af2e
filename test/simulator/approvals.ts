import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import type { GroupAfter } from './after.js';
import type { Chapter, Deed } from './history.js';
import type { Audited } from './observer.js';

const at = (address: string): string => hostOf(ocmAddress(address));

/** What Commits did and nobody had approved, by the audit logs. OCM-MLS */
export function unapproved(groups: readonly GroupAfter[], audited: readonly Audited[]): string[] {
  return groups.flatMap((group) => group.chapters.flatMap((chapter) => unapprovedIn(group, chapter, audited)));
}

function unapprovedIn(group: GroupAfter, chapter: Chapter, audited: readonly Audited[]): string[] {
  const { epoch, committer, adminsBefore, deeds, reinit } = chapter;
  const { address } = group;
  const found: string[] = [];
  if (!adminsBefore.includes(committer)) found.push(`${committer} led ${address} to epoch ${epoch} and was no admin`);
  const here = audited.filter(({ host, group: about }) => host === at(committer) && about === address);
  const approves = (kind: string, who?: string) =>
    here.some(
      ({ act, facts, subject }) =>
        act === 'change.approved' && facts['kind'] === kind && (who === undefined || subject === who),
    );
  if (reinit && !approves('reinit')) found.push(`nobody approved the ReInit in epoch ${epoch} of ${address}`);
  for (const deed of deeds) {
    const { what, by, who } = deed;
    if (what === 'remove' && by === who) continue;
    if (approves(what, who) || evicted(here, chapter, who) || rejoined(audited, group, deeds, who)) continue;
    found.push(`nobody approved to ${what} ${who} in epoch ${epoch} of ${address}`);
  }
  return found;
}

/** With the owner that fell silent. */
const evicted = (here: readonly Audited[], { digest }: Chapter, who: string): boolean =>
  here.some(
    (one) =>
      one.act === 'owner.taken-over' && one.digest === digest && (one.facts['evicted'] as string[]).includes(who),
  );

/** The leaf of a user whose server lost the group, replaced in one Commit. */
const rejoined = (
  audited: readonly Audited[],
  { mlsGroupId }: GroupAfter,
  deeds: readonly Deed[],
  who: string,
): boolean =>
  ['remove', 'add'].every((what) => deeds.some((one) => one.what === what && one.who === who)) &&
  audited.some((one) => one.act === 'group.drifted' && one.mlsGroupId === mlsGroupId && one.host === at(who));
