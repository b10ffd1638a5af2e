import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Access, ProtocolServer } from '../../integration/protocol-server.js';
import { WebdavFiles } from '../../integration/webdav-files.service.js';
import type { Host, OcmAddress } from '../../kernel/address.js';
import type { Clock } from '../../kernel/clock.js';
import type { LoopbackClient } from './loopback.client.js';
import type { Answer, Decision, FileServer } from './stage.js';

const FILE = 'measurements.csv';
const SEALED = 'recording.bin';

interface Trust {
  readonly issuer: Host;
  readonly group: OcmAddress;
}

/** The third party: a protocol server that knows the name of one OCM server, and one group that is welcome. */
export class OpenFileServer implements FileServer {
  readonly content = 'station,kelvin\nnorth,271.3\nsouth,288.9\n';
  private readonly server: WebdavFiles;
  private root = '';
  private decision: Decision | undefined;

  private constructor(
    private readonly folder: string,
    { issuer, group }: Trust,
    private readonly http: LoopbackClient,
    clock: Clock,
  ) {
    const gate = new ProtocolServer({
      pairings: [{ domain: issuer, modes: ['self-contained'] }],
      plainHttp: true,
      read: (url) => http.json(url),
      now: () => clock.now(),
    });
    this.server = new WebdavFiles({
      folder,
      policy: { groups: [group] },
      gate,
      tell: ({ method, code, access }) => (this.decision = decisionOf(method, code, access?.access)),
    });
  }

  static async start(folder: string, trust: Trust, http: LoopbackClient, clock: Clock): Promise<OpenFileServer> {
    const open = new OpenFileServer(folder, trust, http, clock);
    mkdirSync(folder);
    writeFileSync(join(folder, FILE), open.content);
    open.root = (await open.server.listen({ host: '127.0.0.1', port: 0 })).href;
    return open;
  }

  get file(): string {
    return new URL(FILE, this.root).href;
  }

  get sealed(): string {
    return new URL(SEALED, this.root).href;
  }

  async store(chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const next = `${this.sealedPath}.next`;
    await writeFile(next, chunks);
    await rename(next, this.sealedPath);
    return (await stat(this.sealedPath)).size;
  }

  stored(): AsyncIterable<Uint8Array> {
    return createReadStream(this.sealedPath) as AsyncIterable<Uint8Array>;
  }

  private get sealedPath(): string {
    return join(this.folder, SEALED);
  }

  download(token: string): Promise<{ status: number; bytes: Uint8Array }> {
    return this.http.download(this.sealed, { authorization: `Bearer ${token}` });
  }

  request(method: 'GET' | 'PROPFIND', token?: string): Promise<Answer> {
    this.decision = undefined;
    const headers = { depth: '0', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    return this.http.send(method, this.file, headers);
  }

  lastDecision(): Decision | undefined {
    return this.decision;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

const decisionOf = (method: string, code: string, access: Access | undefined): Decision => ({
  method,
  code,
  ...(access?.group
    ? {
        issuer: access.issuer,
        group: access.audience,
        recipient: access.group.recipient,
        members: access.group.members,
        epoch: access.group.epoch,
      }
    : {}),
});
