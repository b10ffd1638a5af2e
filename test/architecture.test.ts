import { describe, expect, test } from 'vitest';
import { brokenDot, brokenLine, LINE } from './support/architecture.js';
import { filesOf } from './support/tree.js';

const SRC = filesOf('src');
const folders = new Set(SRC.filter(({ path }) => path.includes('/')).map(({ path }) => path.split('/')[0]!));
const LONGEST = 300;

describe('the house', () => {
  test('the code was seen', () => {
    expect(SRC.length).toBeGreaterThan(100);
    expect(SRC.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['main.ts', 'app.module.ts', 'kernel/fault.ts']),
    );
    expect([...folders].filter((folder) => !LINE.includes(folder))).toEqual([]);
    for (const folder of [
      'kernel',
      'content',
      'platform',
      'ocm',
      'mls',
      'outbox',
      'groups',
      'tokens',
      'shares',
      'inbox',
    ]) {
      expect(folders).toContain(folder);
    }
  });

  test('rule 1, the line: nothing is imported from the right', () => expect(brokenLine(SRC)).toEqual([]));

  test('rule 2, the dot: what has one dot is pure', () => expect(brokenDot(SRC)).toEqual([]));

  test('no file is longer than 300 lines', () => {
    const sizes = [...SRC, ...filesOf('test')]
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .sort((a, b) => a.lines - b.lines);
    const at = (part: number) => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * part))]!;
    const largest = at(1);
    console.log(
      `${sizes.length} files: median ${at(0.5).lines} lines, 90th percentile ${at(0.9).lines}, largest ${largest.lines} (${largest.path})`,
    );
    expect(sizes.filter(({ lines }) => lines > LONGEST)).toEqual([]);
  });
});

describe('the rules see a planted violation', () => {
  const fault = { path: 'kernel/fault.ts', text: '' };

  test.each([
    ['an import from the right', 'kernel/epoch.ts', `import { advance } from '../mls/epoch.js';`],
    ['a type from the right', 'tokens/grant.ts', `import type { Share } from '../shares/share.js';`],
    ['an export from the right', 'ocm/peer.ts', `export * from '../outbox/parcel.js';`],
    ['a late import from the right', 'mls/suite.ts', `const x = await import('../groups/group.js');`],
    ['a type expression from the right', 'mls/suite.ts', `type X = import('../groups/group.js').Group;`],
    ['an import of a root', 'inbox/early.ts', `import { AppModule } from '../app.module.js';`],
    ['a folder that nobody knows', 'helpers/text.ts', ``],
    ['an import from a folder that nobody knows', 'cli/keys.ts', `import '../helpers/text.js';`],
  ])('line: %s', (_, path, text) => expect(brokenLine([fault, { path, text }])).toHaveLength(1));

  test.each([
    ['Nest', 'mls/epoch.ts', `import { Injectable } from '@nestjs/common';`],
    ['TypeORM', 'groups/group.ts', `import type { EntityManager } from 'typeorm';`],
    ['the file system', 'platform/config.ts', `import { readFileSync } from 'node:fs';`],
    ['a shell file', 'groups/group.ts', `import type { Tx } from '../platform/transaction.service.js';`],
    ['a package of another folder', 'groups/group.ts', `import { processMessage } from 'ts-mls';`],
    ['more of a package than types', 'tokens/access-token.ts', `import { SignJWT, type JWK } from 'jose';`],
    ['the environment', 'platform/config.ts', `const level = process.env['LEVEL'];`],
    ['the clock', 'outbox/parcel.ts', `const now = new Date();`],
    ['the clock in milliseconds', 'outbox/parcel.ts', `const now = Date.now();`],
    ['chance', 'outbox/parcel.ts', `const jitter = Math.random();`],
    ['chance for keys', 'mls/suite.ts', `import { randomBytes } from 'node:crypto';`],
    ['chance through a namespace', 'mls/suite.ts', `import * as c from 'node:crypto'; c.randomBytes(3);`],
    ['the network', 'ocm/discovery.ts', `const answer = await fetch('https://example.org');`],
    ['a timer', 'outbox/parcel.ts', `setTimeout(() => undefined, 1);`],
    ['the clock in a shell file', 'outbox/courier.worker.ts', `const now = new Date();`],
    ['a timer in a shell file', 'outbox/courier.worker.ts', `setInterval(() => undefined, 1);`],
    ['the environment in a shell file', 'outbox/courier.worker.ts', `const level = process.env.LEVEL;`],
    ['a name with two dots of no kind', 'outbox/courier.helper.ts', ``],
  ])('dot: %s', (_, path, text) => expect(brokenDot([fault, { path, text }])).toHaveLength(1));

  test('and let pass what is allowed', () => {
    const files = [
      { path: 'mls/epoch.ts', text: `import { createHash } from 'node:crypto'; import { createGroup } from 'ts-mls';` },
      {
        path: 'tokens/access-token.ts',
        text: `import type { JWK } from 'jose'; const at = new Date(5); // new Date()`,
      },
      { path: 'platform/clock.provider.ts', text: `const now = () => new Date();` },
      { path: 'inbox/dispatch.service.ts', text: `import '../mls/epoch.js'; this.network.fetch('setTimeout');` },
      { path: 'main.ts', text: `import './app.module.js'; process.env;` },
    ];
    expect([...brokenLine(files), ...brokenDot(files)]).toEqual([]);
  });
});
