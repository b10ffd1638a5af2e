import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
const taken = (data: DataFolder) => {
  try {
    data.lock();
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

test('a second one is refused with the process that has the folder', () => {
  const data = folder();
  data.lock();
  expect(taken(folder(data.path))).toBe(process.pid);
  data.unlock();
  expect(taken(folder(data.path))).toBe('free');
});

test('the lock of a process that is gone is taken over', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), `${pid}\n\n`);
  expect(taken(data)).toBe('free');
  expect(readFileSync(data.file('lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
});

test('the lock of a process whose number another one has now is taken over', () => {
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), `${process.ppid}\nanother boot:12345\n`);
  expect(taken(data)).toBe('free');
});

test('a lock that nobody can read is taken over', () => {
  const data = folder();
  data.make();
  writeFileSync(data.file('lock'), '');
  expect(taken(data)).toBe('free');
});

test('who did not take the folder does not give it back', () => {
  const data = folder();
  data.lock();
  folder(data.path).unlock();
  expect(existsSync(data.file('lock'))).toBe(true);
});
