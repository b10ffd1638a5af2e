import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import {
  boundedBody,
  Fault,
  isFault,
  LONGEST_BODY,
  ProtocolServer,
  readJsonOver,
  refusalFields,
} from '../../src/integration/protocol-server.js';
import { addressPolicy } from '../../src/ocm/public-ip.js';
import { UndiciNetwork } from '../../src/ocm/undici-network.client.js';

export interface Settings {
  /** Holds one folder for each paired OCM server, named after it (a port behind `_`). */
  readonly folder: string;
  /** Where people and OCM servers reach this server, however many proxies are in between. */
  readonly publicUrl: string;
  readonly paired: readonly string[];
  /** Everything on one machine, without TLS. */
  readonly development?: boolean;
}

/** Serves `{publicUrl}/webdav/` to whoever an OCM server shares it with, and `{publicUrl}/ocm-ip` to OCM servers. */
export function fileServer({ folder, publicUrl, paired, development = false }: Settings): Server {
  const root = new URL('/webdav/', publicUrl);
  const server = new ProtocolServer({
    pairings: paired.map((domain) => ({ domain, modes: ['provisioned', 'self-contained'] })),
    integrationApi: new URL('/ocm-ip', publicUrl).href,
    read: readJsonOver(new UndiciNetwork(addressPolicy({ development }))),
    now: () => new Date(),
    plainHttp: development,
    // Receivers come here and not to the OCM server, so the address that they are told is an absolute one.
    allocate: ({ providerId, protocol: { webdav } }) =>
      Promise.resolve(webdav && { webdav: { uri: new URL(webdav.uri ?? encodeURIComponent(providerId), root).href } }),
    tell: ({ action, code }) => console.log(`ocm-ip${action} ${code}`),
  });

  /** Where a path of an issuer is on this machine; no link leads out of its folder. */
  async function placeOf(issuer: string, path: readonly string[]): Promise<string> {
    try {
      const home = await realpath(join(folder, issuer.replace(':', '_')));
      const place = await realpath(join(home, ...path));
      if (place.startsWith(home + sep) && (await stat(place)).isFile()) return place;
    } catch {
      // Answered like what is no file.
    }
    throw new Fault('not-found');
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    if (server.integrates(url)) {
      const body = await boundedBody(request, LONGEST_BODY);
      const answer = await server.integrate({ method, url, headers, body });
      return void response.writeHead(answer.status, answer.headers).end(answer.body);
    }
    if (method !== 'GET') throw new Fault('method.not-allowed');
    const { access, path } = await server.open(headers.authorization, url, root);
    const place = await placeOf(access.issuer, path);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
    await pipeline(createReadStream(place), response);
  }

  return createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(isFault(error) ? error.status : 500, isFault(error) ? refusalFields(error) : {}).end();
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const {
    FOLDER = './files',
    PUBLIC_URL = 'http://localhost:8480',
    PAIRED = '',
    PORT = '8480',
    DEVELOPMENT,
  } = process.env;
  const paired = PAIRED.split(' ').filter(Boolean);
  fileServer({ folder: FOLDER, publicUrl: PUBLIC_URL, paired, development: DEVELOPMENT === '1' }).listen(Number(PORT));
}
