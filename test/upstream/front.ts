import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { APACHE, apacheWith, moduleFile } from '../support/apache.js';
import { type Place, Program, type Start } from '../support/program.js';
import type { Answered } from './house.js';

/** What a snippet says of our example is to be said of this instead. */
export interface Site {
  readonly host: string;
  readonly covey: number;
  readonly platform: number;
  /** Whether the platform is below `/nextcloud/`. */
  readonly isBelow: boolean;
}

export type Kind = 'nginx' | 'Apache' | 'Caddy';

const SNIPPETS: Readonly<Record<Kind, readonly [root: string, below: string]>> = {
  nginx: ['nginx.conf', 'nginx-subpath.conf'],
  Apache: ['apache.conf', 'apache-subpath.conf'],
  Caddy: ['Caddyfile', 'Caddyfile-subpath'],
};
const NGINX = '/usr/sbin/nginx';
const CADDY = '/usr/bin/caddy';
const APACHE_MODULES = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl', 'headers', 'proxy', 'proxy_http'];

/** A snippet of the handbook, with other names and ports, and otherwise as it is. */
function snippet(kind: Kind, site: Site, { folder, port }: Place): string {
  const text = readFileSync(join('examples/proxies', SNIPPETS[kind][site.isBelow ? 1 : 0]), 'utf8');
  // Caddy has the port where the others have the name.
  const named = kind === 'Caddy' ? `${site.host}:${port}` : site.host;
  return text
    .replaceAll(/^cloud\.example\.org/gm, named)
    .replaceAll('cloud.example.org', site.host)
    .replaceAll('127.0.0.1:8400', `127.0.0.1:${site.covey}`)
    .replaceAll('10.0.0.5:8080', `127.0.0.1:${site.platform}`)
    .replaceAll('/etc/ssl/cloud.', `${folder}/cloud.`)
    .replaceAll('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replaceAll('*:443', `127.0.0.1:${port}`);
}

const starts: Readonly<Record<Kind, (place: Place, sites: readonly string[]) => Start>> = {
  nginx: ({ folder }, sites) => {
    const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`);
    const http = ['access_log off;', ...kept, ...sites].join('\n');
    const user = process.getuid?.() === 0 ? 'user www-data;' : '';
    const text = `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/log; ${user}
      events { worker_connections 256; }\nhttp {\n${http}\n}\n`;
    return {
      program: NGINX,
      arguments: ['-p', folder, '-c', join(folder, 'nginx.conf')],
      files: { 'nginx.conf': text },
    };
  },
  Apache: (place, sites) => apacheWith(place, APACHE_MODULES, sites),
  Caddy: ({ folder }, sites) => ({
    program: CADDY,
    arguments: ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
    files: {
      Caddyfile: `{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n${sites.join('\n')}`,
    },
    environment: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  }),
};

/** A reverse proxy that speaks TLS, with the snippets of the handbook for these sites. */
export class Front implements AsyncDisposable {
  private constructor(
    private readonly program: Program,
    private readonly certificate: string,
  ) {}

  static async start(kind: Kind, sites: readonly Site[]): Promise<Front> {
    const needed = { nginx: [NGINX], Apache: [APACHE, ...APACHE_MODULES.map(moduleFile)], Caddy: [CADDY] }[kind];
    const program = await Program.start(needed, 'nginx apache2-bin caddy openssl', async (place) => {
      await makeCertificate(
        place.folder,
        sites.map(({ host }) => host),
      );
      return starts[kind](
        place,
        sites.map((site) => snippet(kind, site, place)),
      );
    });
    return new Front(program, readFileSync(join(program.place.folder, 'cloud.pem'), 'utf8'));
  }

  /** A request over TLS to one of its hosts, with these fields and no others. */
  async ask(method: string, url: string, fields: readonly string[], body?: Uint8Array): Promise<Answered> {
    // Not by URL, which would tidy the path up.
    const [, host = '', path = ''] = /^https:\/\/([^/]+)(.*)$/.exec(url) ?? [];
    const asking = request({
      host: '127.0.0.1',
      port: this.program.place.port,
      servername: host,
      ca: this.certificate,
      method,
      path,
      headers: ['Host', host, ...fields],
      agent: false,
      setHost: false,
    });
    asking.end(body);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    return { status: answer.statusCode!, fields: answer.rawHeaders, body: Buffer.concat(await answer.toArray()) };
  }

  log(): string {
    return this.program.log();
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.program[Symbol.asyncDispose]();
}

/** Made by the one who shows it, for all hosts. */
async function makeCertificate(folder: string, hosts: readonly string[]): Promise<void> {
  const names = `subjectAltName=${hosts.map((name) => `DNS:${name}`).join(',')}`;
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const places = ['-keyout', join(folder, 'cloud.key'), '-out', join(folder, 'cloud.pem')];
  await promisify(execFile)('openssl', ['req', ...kind, '-subj', '/CN=cloud', '-addext', names, ...places]);
}
