import { join } from 'node:path';
import type { Place, Start } from './program.js';

export const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';

export const moduleFile = (name: string): string => join(MODULES, `mod_${name}.so`);

/** Debian's Apache, small, with these modules and directives, and without whatever is configured on the machine. */
export function apacheWith({ folder, port }: Place, modules: readonly string[], directives: readonly string[]): Start {
  const lines = [
    `ServerRoot ${folder}`,
    'ServerName files.test',
    `Listen 127.0.0.1:${port}`,
    `PidFile ${folder}/apache.pid`,
    `DefaultRuntimeDir ${folder}`,
    ...modules.map((name) => `LoadModule ${name}_module ${moduleFile(name)}`),
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    'StartServers 1',
    'ServerLimit 2',
    'ThreadsPerChild 8',
    'MaxRequestWorkers 16',
    'MinSpareThreads 1',
    'MaxSpareThreads 16',
    `ErrorLog ${folder}/log`,
    'LogLevel warn',
    ...directives,
    '',
  ];
  return {
    program: APACHE,
    arguments: ['-f', join(folder, 'apache.conf'), '-DFOREGROUND'],
    files: { 'apache.conf': lines.join('\n') },
  };
}
