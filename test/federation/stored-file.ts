import { decryptContent } from '../../src/content/decryption.js';
import { encryptContent } from '../../src/content/encryption.js';
import { fileKey } from '../../src/content/file-key.js';
import { fromBase64url } from '../../src/kernel/bytes.js';
import { isFault } from '../../src/kernel/fault.js';
import type { Person, Share } from '../support/cast.js';
import { TestDice } from '../support/dice.js';
import type { Environment } from '../support/server.js';
import { World } from '../support/world.js';

const dice = new TestDice('storage');
const key = (text: string) => fileKey('AES-256-GCM', fromBase64url(text));

export async function encrypt(text: string, fileKeyText: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encryptContent([Buffer.from(text)], key(fileKeyText), dice)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What it says; otherwise the code of the refusal, the key's own one among them. */
export async function decrypt(file: Uint8Array, fileKeyText: string): Promise<string> {
  if (/[^\w-]/.test(fileKeyText)) return fileKeyText;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decryptContent([file], key(fileKeyText))) chunks.push(chunk);
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.code;
  }
  return Buffer.concat(chunks).toString();
}

/** A file of Alice's, as it lies in the storage of her server. */
export class StoredFile {
  private constructor(
    readonly share: Share,
    private readonly owner: Person,
    readonly name: string,
    public bytes: Uint8Array,
  ) {}

  static async of(owner: Person, group: string, name: string, text: string): Promise<StoredFile> {
    const share = await owner.shareEncrypted(group, name);
    return new StoredFile(share, owner, name, await encrypt(text, await owner.keyOfShared(share)));
  }

  /** As somebody reads it who has the share. */
  readBy = async (who: Person): Promise<string> => decrypt(this.bytes, await who.fileKey(this.name));

  /** The whole way to the next key. */
  async rotate(): Promise<void> {
    const { rotation, oldFileKey, newFileKey } = await this.owner.beginRotation(await this.owner.rotation(this.share));
    this.bytes = await encrypt(await decrypt(this.bytes, oldFileKey), newFileKey);
    await this.owner.progressOfRotation(rotation, this.bytes.length, this.bytes.length);
    await this.owner.finishRotation(rotation);
  }
}

/** Alice's server has these variables; she is the admin. */
export async function labOfStorage(environment: Environment = {}) {
  const world = await World.with({ 'a.test': environment, 'b.test': {}, 'c.test': {} });
  const [alice, bob, charlie] = await world.users('alice@a.test', 'bob@b.test', 'charlie@c.test');
  const group = await alice.createGroup('lab', [bob, charlie]);
  await world.settle();
  return { world, group, alice, bob, charlie };
}
