import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import { decrypt } from '../support/ciphertext.js';
import { type GroupAfter, isCastaway, living } from './after.js';
import type { Stage } from './stage.js';

const at = (address: string): string => hostOf(ocmAddress(address));

/**
 * Every member reads the right bytes of every encrypted file that is shared with the group, by a key that was wrapped in the
 * group's latest epoch; nobody else does, whatever keys they have kept.
 * @param audiences who must read which file
 */
export async function filesOpen(
  stage: Stage,
  groups: readonly GroupAfter[],
  audiences: ReadonlyMap<string, readonly string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (const [name, users] of audiences) {
    const file = stage.storage.byName(name);
    if (!file) continue;
    for (const { address } of stage.people) {
      if (groups.some((group) => isCastaway(group, at(address)))) continue;
      const said = await stage.ask(address, (who) => who.fileKey(name));
      const answer = said.kind === 'yes' ? said.answer : 'no answer';
      const reads = await decrypt(file.bytes, answer);
      if ((reads === file.text) !== users.includes(address)) found.push(`${address} reads of ${name}: ${reads}`);
    }
    if (users.length === 0) continue;
    const shutOut = (who: string) => !users.includes(who) && wereMembers(stage, groups, name).has(who);
    for (const who of (await stage.storage.openTo(name)).filter(shutOut)) {
      found.push(`${who} has a key from before that opens ${name} as it is now`);
    }
  }
  return [...found, ...(await wrappedLately(stage, groups))];
}

/** Of any group that the file was shared with, in any epoch of its history. */
function wereMembers({ ledger }: Stage, groups: readonly GroupAfter[], name: string): ReadonlySet<string> {
  const addresses = ledger.shared.filter((share) => share.name === name).map(({ group }) => group);
  const histories = groups.filter(({ address }) => addresses.includes(address));
  return new Set(histories.flatMap(({ chapters }) => chapters.flatMap(({ members }) => members)));
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
