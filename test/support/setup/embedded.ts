import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { EmbeddedServer } from './embedded-server.js';
import { migrate, migrationsDigest } from './migrated.js';

declare module 'vitest' {
  interface ProvidedContext {
    database:
      { kind: 'embedded'; template: string; sockets: string } | { kind: 'postgres'; server: string; template: string };
  }
}

const CACHE = resolve('node_modules/.cache/covey');

/** Makes the migrated template once per change of the migrations: an embedded database opens from it four times faster. */
export default async function setup(project: TestProject): Promise<() => void> {
  const sockets = mkdtempSync(join(tmpdir(), 'covey-'));
  const template = join(CACHE, `embedded-${migrationsDigest()}.tar`);
  if (!existsSync(template)) {
    const server = await EmbeddedServer.start(sockets);
    await migrate(server.url);
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${template}.${process.pid}`, await server.dump());
    renameSync(`${template}.${process.pid}`, template);
    await server.stop();
  }
  project.provide('database', { kind: 'embedded', template, sockets });
  return () => rmSync(sockets, { recursive: true, force: true });
}
