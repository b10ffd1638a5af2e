import { hostOf } from '../../src/kernel/address.js';
import type { Stage } from './stage.js';

export type UpTo = 'begin' | 'replace' | 'finish';

/** Somebody keeps every file key that their server gives them now. Says of how many files. */
export async function copyKeys(stage: Stage, by: string): Promise<number> {
  const said = await stage.ask(by, async (who) => {
    let count = 0;
    for (const { id, name, encryption } of await who.receives()) {
      if (!encryption) continue;
      stage.storage.copyKey(by, name, await who.fileKeyById(id));
      count++;
    }
    return count;
  });
  return said.kind === 'yes' ? said.answer : 0;
}

/** Carries out one new file key that is due on the host, as far as `upTo`: next time it goes on from there. */
export async function newKey(stage: Stage, host: string, upTo: UpTo): Promise<string> {
  const user = stage.people.find(({ address }) => hostOf(address) === host)!.address;
  const said = await stage.ask(user, async (who) => {
    const due = (await who.rotations()).find(({ state }) => state === 'due' || state === 'under-way');
    if (!due) return 'there is none due';
    const { rotation, oldFileKey, newFileKey } = await who.beginRotation(due);
    const name = stage.storage.byResource(due.resourceId)?.name ?? 'a file that is not there';
    if (upTo === 'begin') return `${name}: begun`;
    await stage.storage.renew(due.resourceId, oldFileKey, newFileKey);
    if (upTo === 'replace') return `${name}: replaced`;
    await who.finishRotation(rotation);
    stage.ledger.count('new file keys');
    return `${name}: finished, ${rotation.cause}`;
  });
  return said.kind === 'yes' ? said.answer : said.kind === 'no' ? said.why : 'its server died over it';
}

/** All file platforms carry out what is due. Says whether that was anything. */
export async function allNewKeys(stage: Stage): Promise<boolean> {
  let any = false;
  for (const host of stage.hosts) {
    while (/: finished,/.test(await newKey(stage, host, 'finish'))) any = true;
  }
  return any;
}
