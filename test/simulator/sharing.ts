import { hostOf, ocmAddress } from '../../src/kernel/address.js';
import { isKey } from '../support/ciphertext.js';
import type { Chance } from './chance.js';
import { copyKeys, newKey, type UpTo } from './file-platform.js';
import type { Shared } from './ledger.js';
import { kind, type Move, type Scene } from './move.js';
import { local, living, outcome } from './people.js';
import type { Stage } from './stage.js';

interface OfFile extends Move {
  readonly by: string;
  readonly name: string;
}
interface WithGroup extends OfFile {
  readonly group: string;
}

const at = (person: string): string => hostOf(ocmAddress(person));

const sharesOf = ({ ledger }: Stage, name: string): readonly Shared[] =>
  ledger.shared.filter((one) => one.name === name);

/** An encrypted file as its sender's file platform stores it first. */
async function store(stage: Stage, { by, name, host }: Shared, id: string): Promise<void> {
  const text = `${name} as ${by} wrote it`;
  const said = await stage.ask(by, async (who) => {
    const { encryption } = await who.shared({ id });
    return {
      resourceId: encryption!.resourceId,
      bytes: await stage.storage.encrypt(text, await who.keyOfShared({ id })),
    };
  });
  if (said.kind === 'yes') stage.storage.replace(undefined, { host, name, text, ...said.answer });
}

const share = kind<WithGroup & { readonly encrypted: boolean }>({
  weight: 9,
  rushes: true,
  again: (move, chance) => ({ ...move, name: `${move.name}.${chance.below(10_000)}` }),
  draw(chance, scene) {
    const group = chance.pick(living(scene));
    const by = group && chance.pick(local(group));
    if (by === undefined) return undefined;
    const name = `file${scene.step}.${chance.below(10_000)}`;
    return { by, group: group!.address, name, encrypted: chance.happens(60) };
  },
  tell: ({ by, group, name, encrypted }) => `${by} shares ${name} with ${group}${encrypted ? ', encrypted' : ''}`,
  async make({ by, group, name, encrypted }, stage) {
    const said = await stage.ask(by, (who) => (encrypted ? who.shareEncrypted(group, name) : who.share(group, name)));
    if (said.kind === 'yes') {
      const { id } = said.answer;
      const shared: Shared = { host: at(by), group, by, name, encrypted, id, unshared: 'no' };
      stage.ledger.shared.push(shared);
      if (encrypted && !stage.storage.byName(name)) await store(stage, shared, id);
    }
    return outcome(said);
  },
});

/** A file that one group has already. */
const shareAgain = kind<WithGroup & { readonly encrypted: true }>({
  weight: 4,
  draw(chance, scene) {
    const { ledger, storage } = scene.stage;
    const file = chance.pick(ledger.shared.filter(({ unshared, name }) => unshared === 'no' && storage.byName(name)));
    const others = living(scene).filter(
      (group) =>
        file &&
        local(group).includes(file.by) &&
        !sharesOf(scene.stage, file.name).some((one) => one.group === group.address),
    );
    const group = chance.pick(others)?.address;
    return group === undefined ? undefined : { by: file!.by, name: file!.name, group, encrypted: true };
  },
  tell: share.tell,
  make: share.make,
});

const unshare = kind<WithGroup>({
  weight: 3,
  rushes: true,
  draw(chance, { stage }) {
    const one = chance.pick(
      stage.ledger.shared.filter(({ unshared, host }) => unshared === 'no' && stage.isAlive(host)),
    );
    return one && { by: one.by, name: one.name, group: one.group };
  },
  tell: ({ by, name, group }) => `${by} ends the share of ${name} with ${group}`,
  async make({ by, name, group }, stage) {
    const one = sharesOf(stage, name).find((shared) => shared.group === group);
    if (!one) return 'there is no such share';
    const said = await stage.ask(by, (who) => who.unshare(one));
    if (said.kind !== 'no') one.unshared = said.kind === 'yes' ? 'yes' : 'perhaps';
    return outcome(said);
  },
});

function anyFile(chance: Chance, { stage }: Scene): Omit<OfFile, 'kind'> | undefined {
  const by = chance.pick(stage.people.filter(({ address }) => stage.isAlive(at(address))))?.address;
  const name = chance.pick(stage.ledger.shared)?.name;
  return by === undefined || name === undefined ? undefined : { by, name };
}

const open = kind<OfFile>({
  weight: 4,
  draw: anyFile,
  tell: ({ by, name }) => `${by} opens ${name}`,
  async make({ by, name }, stage) {
    const said = await stage.ask(by, (who) => who.open(name));
    if (said.kind !== 'yes') return outcome(said);
    return typeof said.answer === 'string' ? said.answer : 'yes';
  },
});

/** Every key that somebody can get hold of is kept. */
const copying = kind<Move & { readonly by: string }>({
  weight: 4,
  draw(chance, { stage }) {
    const by = chance.pick(stage.people.filter(({ address }) => stage.isAlive(at(address))))?.address;
    return by === undefined || stage.ledger.shared.every(({ encrypted }) => !encrypted) ? undefined : { by };
  },
  tell: ({ by }) => `${by} copies the keys of all files`,
  make: async ({ by }, stage) => `${await copyKeys(stage, by)} of them`,
});

/** A member writes a file back, as R-188 has it; the file platform takes nothing that is not under the key in use. */
const write = kind<OfFile & { readonly step: number }>({
  weight: 4,
  rushes: true,
  draw(chance, scene) {
    const found = anyFile(chance, scene);
    return found && scene.stage.storage.byName(found.name) && { ...found, step: scene.step };
  },
  tell: ({ by, name }) => `${by} writes ${name}`,
  async make({ by, name, step }, stage) {
    const before = stage.storage.byName(name);
    const shared = sharesOf(stage, name)[0];
    if (!before || !shared) return 'it is not there';
    const got = await stage.ask(by, (who) => who.fileKey(name));
    if (got.kind !== 'yes' || !isKey(got.answer)) return got.kind === 'yes' ? got.answer : outcome(got);
    const text = `${name} as ${by} wrote it at ${step}`;
    const bytes = await stage.storage.encrypt(text, got.answer);
    const said = await stage.ask(shared.by, async (who) => [
      await who.writtenUnder(shared, before.bytes),
      await who.writtenUnder(shared, bytes),
    ]);
    if (said.kind !== 'yes') return outcome(said);
    if (said.answer.some((key) => key !== 'current')) return `refused: ${said.answer.join(', then ')}`;
    return stage.storage.replace(before, { ...before, text, bytes }) ? 'yes' : 'refused: it has changed';
  },
});

/** The way of one file to its next key, as far as its file platform comes. */
const renewal = kind<Move & { readonly host: string; readonly upTo: UpTo }>({
  weight: 5,
  rushes: true,
  draw(chance, { stage }) {
    const host = chance.pick([
      ...new Set(stage.ledger.shared.filter(({ encrypted }) => encrypted).map((one) => one.host)),
    ]);
    const upTo = chance.happens(60) ? 'finish' : chance.happens(50) ? 'replace' : 'begin';
    return host === undefined || !stage.isAlive(host) ? undefined : { host, upTo };
  },
  tell: ({ host, upTo }) => `a file on ${host} is to have a new key; the file platform gets to: ${upTo}`,
  make: ({ host, upTo }, stage) => newKey(stage, host, upTo),
});

/** What is done with files. */
export const SHARING = { share, 'share-again': shareAgain, unshare, open, copying, write, renewal };
