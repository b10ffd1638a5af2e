import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { demoArguments } from '../../../src/cli/demo/arguments.js';
import { demo } from '../../../src/cli/demo/demo.command.js';
import { SystemClock, SystemDice } from '../../../src/platform/system.provider.js';

describe('the arguments of the demo', () => {
  test('are --json and --keep, and nothing else', () => {
    expect(demoArguments([])).toEqual({ json: false, keep: false });
    expect(demoArguments(['--keep', '--json'])).toEqual({ json: true, keep: true });
    expect(demoArguments(['--jsn'])).toBeUndefined();
  });
});

describe('the demo', () => {
  let folder: string;
  let said: string[];
  let stop: () => void = () => undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'covey-test-'));
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (args: readonly string[], server: string): Promise<number> => {
    const script = join(folder, 'main.mjs');
    writeFileSync(script, server);
    return demo(args, {
      clock: new SystemClock(),
      dice: new SystemDice(),
      script,
      environment: { PATH: process.env['PATH'] ?? '' },
      temporary: folder,
      emptyDatabase: async (path) => mkdirSync(path, { recursive: true })!,
      out: (text) => said.push(text),
      err: (text) => said.push(text),
      onStop: (given) => (stop = given),
    });
  };
  const leftBehind = () => readdirSync(folder).filter((name) => name.startsWith('covey-demo-'));

  test('is refused with words it does not know', async () => {
    expect(await run(['--fast'], '')).toBe(64);
    expect(said.join('\n')).toContain('usage:');
  });

  test('fails when a server does not start, says what it said, and leaves nothing behind', async () => {
    expect(await run([], `console.log('no room for me'); process.exit(3);`)).toBe(1);
    expect(said.join('\n')).toMatch(/server (alpha|beta|gamma) ended with code 3/);
    expect(said.join('\n')).toMatch(/--- (alpha|beta|gamma)\nno room for me/);
    expect(leftBehind()).toEqual([]);
  });

  test('stops its servers when it is stopped by hand', async () => {
    const running = run([], `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`);
    await expect.poll(() => leftBehind().length).toBe(1);
    stop();
    expect(await running).toBe(1);
    expect(said.join('\n')).toContain('stopped by hand');
    expect(leftBehind()).toEqual([]);
  });
});
