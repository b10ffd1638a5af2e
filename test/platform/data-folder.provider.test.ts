import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { configFrom } from '../../src/platform/config.js';
import { DataFolder } from '../../src/platform/data-folder.provider.js';

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

function folder(path = join(mkdtempSync(join(tmpdir(), 'covey-')), 'data')) {
  made.push(path);
  return new DataFolder(configFrom({ COVEY_DOMAIN: 'a.test', COVEY_DATA: path }));
}
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const taken = async (data: DataFolder) => {
  try {
    await data.lock();
  } catch (error) {
    return (error as Fault).code === 'data-folder.taken' ? (error as Fault).facts['pid'] : error;
  }
  return 'free';
};

test('the folder and what is in it are for its owner only', () => {
  const data = folder();
  data.readOrMake('sealing-key', () => 'k');
  expect([mode(data.path), mode(data.file('sealing-key'))]).toEqual(['700', '600']);
});

test('what was made on the first run is read on the next', () => {
  const data = folder();
  expect(data.readOrMake('x', () => 'first')).toEqual({ text: 'first', made: true });
  expect(data.readOrMake('x', () => 'second')).toEqual({ text: 'first', made: false });
});

test('a second one is refused with the process that has the folder', async () => {
  const data = folder();
  await data.lock();
  expect(await taken(folder(data.path))).toBe(process.pid);
  data.unlock();
  expect(await taken(folder(data.path))).toBe('free');
});

test('the lock of a process that is gone is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), `${pid}\n\n`);
  expect(await taken(data)).toBe('free');
  expect(readFileSync(data.file('lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
});

test('the lock of a process whose number another one has now is taken over', async () => {
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), `${process.ppid}\nanother boot:12345\n`);
  expect(await taken(data)).toBe('free');
});

test('a lock that nobody can read is taken over', async () => {
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), '');
  expect(await taken(data)).toBe('free');
});

test('who did not take the folder does not give it back', async () => {
  const data = folder();
  await data.lock();
  folder(data.path).unlock();
  expect(existsSync(data.file('lock'))).toBe(true);
});

test('a folder whose database answers is taken, though its process cannot be seen from here', async () => {
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), `${process.ppid}\nanother container:1\n`);
  const server = createServer().listen(data.file('.s.PGSQL.5432'));
  await once(server, 'listening');
  expect(await taken(data)).toBe(process.ppid);
  server.close();
});
