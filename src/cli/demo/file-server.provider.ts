import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Access, AccessVerifier } from '../../integration/access-verifier.js';
import { WebdavFiles } from '../../integration/webdav-files.service.js';
import type { Host, OcmAddress } from '../../kernel/address.js';
import type { Clock } from '../../kernel/clock.js';
import type { LoopbackClient } from './loopback.client.js';
import type { Answer, Decision, FileServer } from './stage.js';

const FILE = 'measurements.csv';

interface Trust {
  readonly issuer: Host;
  readonly group: OcmAddress;
}

/** The third party: a protocol server that knows the name of one OCM server, and one group that is welcome. */
export class OpenFileServer implements FileServer {
  readonly content = 'station,kelvin\nnorth,271.3\nsouth,288.9\n';
  private readonly server: WebdavFiles;
  private url = '';
  private access: Access | undefined;
  private decision: Decision | undefined;

  private constructor(
    folder: string,
    { issuer, group }: Trust,
    private readonly http: LoopbackClient,
    clock: Clock,
  ) {
    const policy = { issuers: [issuer], plainHttp: true };
    const verifier = new AccessVerifier(
      policy,
      (url) => http.json(url),
      () => clock.now(),
    );
    const verify = async (token: string) => (this.access = await verifier.verify(token));
    this.server = new WebdavFiles({
      folder,
      policy: { groups: [group] },
      verifier: { verify },
      tell: ({ method, code }) => (this.decision = decisionOf(method, code, this.access)),
    });
  }

  static async start(folder: string, trust: Trust, http: LoopbackClient, clock: Clock): Promise<OpenFileServer> {
    const open = new OpenFileServer(folder, trust, http, clock);
    mkdirSync(folder);
    writeFileSync(join(folder, FILE), open.content);
    open.url = new URL(FILE, await open.server.listen({ host: '127.0.0.1', port: 0 })).href;
    return open;
  }

  get file(): string {
    return this.url;
  }

  request(method: 'GET' | 'PROPFIND', token?: string): Promise<Answer> {
    this.access = this.decision = undefined;
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
