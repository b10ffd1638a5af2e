import { TestDice } from '../support/dice.js';
import { decrypt, encrypt, isKey } from '../support/ciphertext.js';

/** A file as a file platform stores it. */
export interface StoredFile {
  readonly host: string;
  readonly name: string;
  readonly resourceId: string;
  /** What it says to who has the key. */
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** The encrypted files of all file platforms, and the keys that people have copied of them. */
export class Storage {
  private readonly files = new Map<string, StoredFile>();
  private readonly copies = new Map<string, ReadonlyMap<string, StoredFile>>();
  private readonly copied = new Map<string, Set<string>>();
  private readonly dice = new TestDice('storage of the simulator');

  byName = (name: string): StoredFile | undefined => this.files.get(name);
  byResource = (resourceId: string): StoredFile | undefined =>
    [...this.files.values()].find((file) => file.resourceId === resourceId);

  encrypt = (text: string, key: string): Promise<Uint8Array> => encrypt(text, key, this.dice);

  /** In the stead of `before`; not when that was replaced meanwhile. Says whether it did. */
  replace(before: StoredFile | undefined, file: StoredFile): boolean {
    if (this.files.get(file.name) !== before) return false;
    this.files.set(file.name, file);
    return true;
  }

  /** The same text under the new key, whoever writes meanwhile. The file may be under that key already. */
  async renew(resourceId: string, oldKey: string, newKey: string): Promise<void> {
    for (let file = this.byResource(resourceId); file; file = this.byResource(resourceId)) {
      if ((await decrypt(file.bytes, newKey)) === file.text) return;
      if ((await decrypt(file.bytes, oldKey)) !== file.text) throw new Error(`neither key opens ${file.name}`);
      if (this.replace(file, { ...file, bytes: await this.encrypt(file.text, newKey) })) return;
    }
  }

  /** Somebody keeps a key, whatever comes. */
  copyKey(who: string, name: string, key: string): void {
    if (isKey(key)) this.copied.set(name, (this.copied.get(name) ?? new Set()).add(`${who} ${key}`));
  }

  /** Who has kept a key that opens the file as it is now. */
  async openTo(name: string): Promise<string[]> {
    const file = this.byName(name);
    const found: string[] = [];
    for (const kept of (file && this.copied.get(name)) ?? []) {
      const [who, key] = kept.split(' ') as [string, string];
      if ((await decrypt(file!.bytes, key)) === file!.text) found.push(who);
    }
    return found;
  }

  /** The files of a host are copied with its database. */
  mark(host: string): void {
    this.copies.set(host, new Map([...this.files].filter(([, file]) => file.host === host)));
  }

  goBack(host: string): void {
    for (const [name, file] of this.files) if (file.host === host) this.files.delete(name);
    for (const [name, file] of this.copies.get(host)!) this.files.set(name, file);
    this.copies.delete(host);
  }
}
