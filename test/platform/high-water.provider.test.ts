import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { configFrom } from '../../src/platform/config.js';
import { DataFolder } from '../../src/platform/data-folder.provider.js';
import { WaterMarkRepository } from '../../src/platform/water-mark.repository.js';
import { HighWater } from '../../src/platform/high-water.provider.js';
import { Log } from '../../src/platform/logger.service.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'covey-mark-'));
  folders.push(folder);
  return folder;
}

const lines: string[] = [];
const open = (folder: string) =>
  new HighWater(
    new DataFolder(configFrom({ COVEY_DOMAIN: 'a.test', COVEY_DATA: folder })),
    new WaterMarkRepository(),
    new Log('error', { write: (line: string) => void lines.push(line) }),
  );

test('the mark is where it was at the next start, and only rises', () => {
  const folder = newFolder();
  const water = open(folder);
  expect(water.mark).toBe(0);
  water.raise(7);
  water.raise(5);
  expect([water.mark, open(folder).mark]).toEqual([7, 7]);
  expect(readFileSync(join(folder, 'high-water'), 'utf8')).toBe('0000000000000000007\n');
});

test('of two processes in one folder the one that is behind does not take it back', () => {
  const folder = newFolder();
  const [one, two] = [open(folder), open(folder)];
  one.raise(100);
  two.raise(90);
  expect([two.mark, open(folder).mark]).toEqual([100, 100]);
});

test('what is no mark is said, and replaced by the next one', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'high-water'), 'seven');
  const water = open(folder);
  expect(lines.join()).toContain('high-water.unreadable');
  water.raise(3);
  expect(open(folder).mark).toBe(3);
});

test('a folder that is none is a reason not to start', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  chmodSync(join(folder, 'file'), 0o400);
  expect(() => open(join(folder, 'file'))).toThrow('data-folder.unusable');
});
