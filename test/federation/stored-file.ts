import type { Person, Share } from '../support/cast.js';
import { decrypt, encrypt } from '../support/ciphertext.js';
import type { Environment } from '../support/environment.js';
import { World } from '../support/world.js';

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
