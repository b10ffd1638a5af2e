import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import { type GroupAfter, heardOf, isCastaway, living } from './after.js';
import type { Shared } from './ledger.js';
import type { Stage } from './stage.js';

const at = (address: string): string => hostOf(ocmAddress(address));
const isKey = (answer: string): boolean => /^[\w-]{22,43}$/.test(answer);

/** Every member has the key of every encrypted file that is shared with the group, wrapped in its latest epoch, and nobody else. */
export async function filesOpen(
  stage: Stage,
  groups: readonly GroupAfter[],
  audience: (share: Shared) => Promise<readonly string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (const share of heardOf(stage, groups).filter(({ encrypted }) => encrypted)) {
    const users = await audience(share);
    const own = await stage.ask(share.by, (who) => who.keyOfShared(share));
    const key = own.kind === 'yes' ? own.answer : undefined;
    for (const { address } of stage.people) {
      if (groups.some((group) => isCastaway(group, at(address)))) continue;
      const said = await stage.ask(address, (who) => who.fileKey(share.name));
      const answer = said.kind === 'yes' ? said.answer : 'no answer';
      const may = users.includes(address);
      if (may ? answer !== key : isKey(answer))
        found.push(`${address} has of ${share.name}: ${may ? answer : 'its key'}`);
    }
  }
  return [...found, ...(await wrappedLately(stage, groups))];
}

async function wrappedLately(stage: Stage, groups: readonly GroupAfter[]): Promise<string[]> {
  const found: string[] = [];
  for (const host of stage.hosts) {
    const rows = await stage.observer(host).rows<{ group: string; epoch: number; sender: string; name: string }>(
      `SELECT w.group_address AS "group", w.epoch::integer AS epoch, w.sender_host AS sender, r.resource->>'name' AS name
       FROM wrapped_key w JOIN received_share r ON r.group_address = w.group_address AND r.from_host = w.sender_host
         AND r.encryption->>'resourceId' = w.resource_id AND r.ended_at IS NULL
       JOIN federated_group g ON g.mls_group_id = w.mls_group_id AND g.state = 'active' ORDER BY 1, 3, 4`,
    );
    for (const { group, epoch, sender, name } of rows) {
      const now = living(groups, group);
      if (!now || epoch === now.epoch || isCastaway(now, host) || isCastaway(now, sender)) continue;
      found.push(`${host} has the key of ${name} as wrapped in epoch ${epoch} of ${group}, which is at ${now.epoch}`);
    }
  }
  return found;
}
