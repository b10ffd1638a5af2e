// What the npm scripts run: installs and builds when needed, then does what was asked. Plain JavaScript without
// dependencies, since it runs before there are any.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => join(ROOT, ...parts);
const say = (text) => process.stderr.write(`${text}\n`);
const OLDEST_NODE = [20, 19];

const JOBS = {
  start: () => {
    develop();
    build();
    return load('main.js');
  },
  build,
  test: (args) => become('vitest', 'vitest.mjs', ['run', ...args]),
  demo: (args) => command('demo', args),
  bench: (args) => become('vitest', 'vitest.mjs', ['run', '--config', 'test/bench/vitest.config.ts', ...args]),
  simulate: (args) => {
    process.env.COVEY_SIMULATE = JSON.stringify(args);
    become('vitest', 'vitest.mjs', ['run', '--config', 'test/simulator/vitest.config.ts']);
  },
  covey: (args) => command('operator', args),
};

const [job = '', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(JOBS, job)) {
  say(`usage: node src/setup.mjs ${Object.keys(JOBS).join('|')} [arguments]`);
  process.exit(64);
}
checkNode();
install();
await JOBS[job](rest);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [leastMajor, leastMinor] = OLDEST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  say(`Covey needs Node ${OLDEST_NODE.join('.')} or later; this is ${process.versions.node}.`);
  process.exit(69);
}

/** Brings node_modules in line with package-lock.json and with the patches. */
function install() {
  const mark = at('node_modules', '.covey-patches');
  const patches = digest(files('patches', '.patch'));
  if (isInstalled()) {
    if (read(mark) === patches) return;
    if (run('patch-package', 'index.js', [], 'pipe')) return writeFileSync(mark, patches);
  }
  say('Installing dependencies (npm ci) ...');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const options = { cwd: ROOT, stdio: ['ignore', 2, 2] };
  const onWindows = process.platform === 'win32';
  const { status } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: onWindows });
  if (status !== 0) {
    say('The dependencies could not be installed.');
    process.exit(status || 1);
  }
  writeFileSync(mark, patches);
}

/** Whether npm's own record of what it installed says the same as the lock file; packages of other systems may lack. */
function isInstalled() {
  const record = read(at('node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  const found = JSON.parse(record).packages;
  const wanted = Object.entries(JSON.parse(read(at('package-lock.json'))).packages);
  return wanted.every(([path, { version, integrity, optional, devOptional }]) => {
    const there = found[path];
    if (path === '' || (!there && (optional || devOptional))) return true;
    return there !== undefined && there.version === version && there.integrity === integrity;
  });
}

/** Compiles when a source has changed since the last time. */
function build() {
  const names = files('src', '.ts');
  const record = at('dist', '.built');
  const now = digest([...names, 'tsconfig.json', 'package-lock.json']);
  if (read(record) === now) return;
  say('Building ...');
  // Files that are gone must leave nothing behind.
  if (read(at('dist', '.sources')) !== names.join('\n')) rmSync(at('dist'), { recursive: true, force: true });
  const args = ['-p', 'tsconfig.json', '--incremental', '--tsBuildInfoFile', 'dist/.tsbuildinfo', '--noEmitOnError'];
  if (!run('typescript', 'lib/tsc.js', args, 'inherit')) {
    say('The build failed.');
    process.exit(1);
  }
  mkdirSync(at('dist'), { recursive: true });
  writeFileSync(at('dist', '.sources'), names.join('\n'));
  writeFileSync(record, now);
}

/** Without a domain this is a trial on one machine, and says so. */
function develop() {
  if (process.env.COVEY_DOMAIN) return;
  if ((process.env.COVEY_DEVELOPMENT || 'on') !== 'on') return;
  const port = /:([0-9]+)$/.exec(process.env.COVEY_LISTEN ?? '')?.[1] ?? '8400';
  process.env.COVEY_DOMAIN = `localhost:${port}`;
  process.env.COVEY_DEVELOPMENT = 'on';
  say(`COVEY_DOMAIN is not set: development on this machine only, as ${process.env.COVEY_DOMAIN} over plain HTTP.`);
}

/** In this process, so that signals and exit codes are its own. */
function load(file) {
  return import(pathToFileURL(at('dist', file)).href);
}

function command(name, args) {
  build();
  process.argv = [process.execPath, at('dist', 'cli.js'), name, ...args];
  return load('cli.js');
}

/** Runs a package's script instead of this one. */
function become(name, script, args) {
  const { status, signal } = spawnSync(process.execPath, [at('node_modules', name, script), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (signal) process.kill(process.pid, signal);
  process.exit(status ?? 1);
}

function run(name, script, args, stdio) {
  try {
    execFileSync(process.execPath, [at('node_modules', name, script), ...args], {
      cwd: ROOT,
      stdio: ['ignore', stdio === 'pipe' ? 'pipe' : 2, stdio === 'pipe' ? 'pipe' : 2],
    });
    return true;
  } catch {
    return false;
  }
}

/** Paths below a folder, with forward slashes, in a fixed order. */
function files(folder, suffix) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { recursive: true })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith(suffix))
    .sort();
}

function digest(names) {
  const hash = createHash('sha256');
  for (const name of names)
    hash
      .update(`${name}\0`)
      .update(readFileSync(at(name)))
      .update('\0');
  return hash.digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
