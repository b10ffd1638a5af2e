import { constants, type Stats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Fault, isFault } from '../kernel/fault.js';
import { boundedBody } from './bounded-body.js';
import { type DavEntry, multistatus } from './multistatus.js';
import { readPropfind } from './propfind.js';
import { type FileAccess, type FilePolicy, type ProtocolServer, refusalFields } from './protocol-server.js';
import { hrefOf, type Path } from './webdav-path.js';

export interface WebdavFilesOptions {
  /** The folder on this machine that is served. */
  readonly folder: string;
  readonly gate: Pick<ProtocolServer, 'open'>;
  readonly policy?: FilePolicy;
  /** The path of the tree in URLs; `/webdav/` when absent. */
  readonly prefix?: string;
  /** Told of every request that was judged; `code` is `ok` or a fault code, `path` is without the query. */
  readonly tell?: (event: { method: string; path: string; code: string; access?: FileAccess }) => void;
}

const ALLOW = 'OPTIONS, GET, HEAD, PROPFIND';
const LONGEST_BODY = 16_384;

/**
 * A protocol server as OCM-IP knows it: serves files over WebDAV and decides by nothing but the token that is shown to
 * it. It shares neither state nor secrets with the server that issued the token. Reading only: RFC 4918 GET, HEAD,
 * PROPFIND with Depth 0 and 1.
 */
export class WebdavFiles {
  private readonly server = createServer((request, response) => void this.serve(request, response));
  private root = new URL('http://localhost/');

  constructor(private readonly options: WebdavFilesOptions) {}

  /** Returns the URL of the tree. */
  async listen(address: { host: string; port: number }): Promise<URL> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(address.port, address.host, resolve);
    });
    const { port } = this.server.address() as AddressInfo;
    this.root = new URL(this.options.prefix ?? '/webdav/', `http://${address.host}:${port}`);
    return this.root;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const [path = ''] = url.split('?', 1);
    try {
      if (method === 'OPTIONS') return void response.writeHead(204, { allow: ALLOW, dav: '1' }).end();
      if (!ALLOW.split(', ').includes(method)) return void response.writeHead(405, { allow: ALLOW }).end();
      const { authorization } = request.headers;
      const access = await this.options.gate.open(authorization, url, this.root, this.options.policy);
      this.options.tell?.({ method, path, code: 'ok', access });
      await (method === 'PROPFIND'
        ? this.list(request, response, access.path)
        : this.file(response, access.path, method));
    } catch (error) {
      this.options.tell?.({ method, path, code: isFault(error) ? error.code : 'internal' });
      refuse(response, error);
    }
  }

  private async file(response: ServerResponse, path: Path, method: string): Promise<void> {
    const { place } = await this.find(path);
    const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const found = await file.stat();
      if (!found.isFile()) return void response.writeHead(405, { allow: 'OPTIONS, PROPFIND' }).end();
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': found.size,
        'last-modified': found.mtime.toUTCString(),
        'x-content-type-options': 'nosniff',
        'cache-control': 'private, no-store',
        etag: etag(found),
      });
      if (method === 'HEAD' || found.size === 0) return void response.end();
      await pipeline(file.createReadStream({ autoClose: false, end: found.size - 1 }), response);
    } finally {
      await file.close();
    }
  }

  private async list(request: IncomingMessage, response: ServerResponse, path: Path): Promise<void> {
    const depth = request.headers.depth ?? 'infinity';
    if (depth !== '0' && depth !== '1') {
      const body =
        '<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>\n';
      return void response.writeHead(403, XML).end(body);
    }
    const wish = readPropfind(Buffer.from(await boundedBody(request, LONGEST_BODY)).toString('utf8'));
    const entry = await this.entry(path);
    const names = depth === '1' && entry.folder ? (await readdir((await this.find(path)).place)).sort() : [];
    const below = await Promise.allSettled(names.map((name) => this.entry([...path, name])));
    const entries = [entry, ...below.flatMap((found) => (found.status === 'fulfilled' ? [found.value] : []))];
    response.writeHead(207, XML).end(multistatus(entries, wish));
  }

  private async entry(path: Path): Promise<DavEntry> {
    const { found } = await this.find(path);
    const folder = found.isDirectory();
    return {
      href: hrefOf(this.root, path, folder),
      name: path.at(-1)!,
      folder,
      size: found.size,
      modified: found.mtime,
      etag: etag(found),
      type: 'application/octet-stream',
    };
  }

  /** Links are followed as far as they stay within the served folder. Throws `not-found`. */
  private async find(path: Path): Promise<{ place: string; found: Stats }> {
    try {
      const home = await realpath(this.options.folder);
      const place = await realpath(join(home, ...path));
      if (!place.startsWith(home + sep)) throw new Fault('not-found');
      return { place, found: await stat(place) };
    } catch (cause) {
      throw new Fault('not-found', {}, cause);
    }
  }
}

const XML = { 'content-type': 'application/xml; charset=utf-8' };
const etag = ({ size, mtimeMs }: Stats) => `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  if (!isFault(error)) return void response.writeHead(500).end();
  response.writeHead(error.status, refusalFields(error)).end();
}
