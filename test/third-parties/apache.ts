import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { APACHE, apacheWith, moduleFile } from '../support/apache.js';
import { Program } from '../support/program.js';

const NEEDED = ['mpm_event', 'authn_core', 'authz_core', 'dav', 'dav_fs', 'oauth2'];

/** A folder that Apache serves by WebDAV to whom the directives let in. */
export interface Folder {
  readonly name: string;
  readonly directives: readonly string[];
}

/** Debian's Apache with mod_oauth2 in front of folders of its own, on loopback. */
export class Apache implements AsyncDisposable {
  private constructor(private readonly program: Program) {}

  /** Throws when it is not installed: `apt-get install apache2-bin libapache2-mod-oauth2`. */
  static async serving(folders: readonly Folder[]): Promise<Apache> {
    const needed = [APACHE, ...NEEDED.map(moduleFile)];
    const program = await Program.start(needed, 'apache2-bin libapache2-mod-oauth2', async (place) => {
      // Its workers are no root, and have to write.
      for (const folder of ['files', 'locks', ...folders.map(({ name }) => `files/${name}`)]) {
        await mkdir(join(place.folder, folder));
        await chmod(join(place.folder, folder), 0o777);
      }
      const served = folders.flatMap(({ name, directives }) => [
        `<Location "/${name}/">`,
        'Dav On',
        ...directives,
        '</Location>',
      ]);
      const own = [`DavLockDB ${place.folder}/locks/dav`, `DocumentRoot ${place.folder}/files`];
      return apacheWith(place, NEEDED, [...own, ...served]);
    });
    return new Apache(program);
  }

  get url(): string {
    return `http://127.0.0.1:${this.program.place.port}`;
  }

  /** A file in one of the folders. */
  async put(path: string, text: string): Promise<void> {
    await writeFile(this.at(path), text, { mode: 0o666 });
  }

  read(path: string): string {
    return readFileSync(this.at(path), 'utf8');
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.program[Symbol.asyncDispose]();

  private at(path: string): string {
    return join(this.program.place.folder, 'files', path);
  }
}
