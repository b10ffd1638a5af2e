import { MemoryRecords, ProtocolServer, readJsonOver } from '../../src/integration/protocol-server.js';
import { host } from '../../src/kernel/address.js';
import { fromUtf8, utf8 } from '../../src/kernel/bytes.js';
import type { HttpAnswer, HttpRequest } from '../../src/kernel/network.js';
import type { World } from '../support/world.js';

/** What a protocol server heard. */
export interface Heard {
  readonly action: string;
  readonly body: Record<string, unknown>;
}

type Answers = (heard: Heard) => { readonly status: number; readonly body?: object | string } | undefined;

/** A protocol server in the network of a world: the real one, unless it is told to answer something else. */
export class Hub {
  readonly heard: Heard[] = [];
  readonly records: MemoryRecords;
  readonly server: ProtocolServer;
  /** In the stead of its own answer, where there is one. */
  answers: Answers = () => undefined;
  /** Told with every provision. */
  allocated: object | undefined;

  constructor(
    private readonly world: World,
    readonly name = 'hub.test',
    modes: readonly ('provisioned' | 'self-contained')[] = ['provisioned'],
  ) {
    const now = () => world.clock.now();
    this.records = new MemoryRecords(now);
    this.server = new ProtocolServer({
      pairings: [{ domain: 'a.test', modes }],
      read: readJsonOver(world.network.networkOf(host(name), () => true)),
      integrationApi: this.api,
      records: this.records,
      allocate: () => Promise.resolve(this.allocated),
      now,
    });
    this.up();
  }

  get api(): string {
    return `https://${this.name}/ocm-ip`;
  }

  /** Pairs a.test with it. */
  async pair(method = 'none'): Promise<void> {
    const body = { clientId: this.name, method, integrationApi: this.api };
    const { status } = await this.world.server('a.test').api('POST', '/pairings', body);
    if (status !== 201) throw new Error(`the pairing of ${this.name} was refused with ${status}`);
  }

  /** Up, with answers of its own. */
  calm(): void {
    this.answers = () => undefined;
    this.up();
  }

  down(): void {
    this.world.network.detach(host(this.name));
  }

  up(): void {
    this.world.network.attach(host(this.name), this.serve);
  }

  /** Its Integration API. */
  readonly serve = async ({ method, url, headers, body = new Uint8Array() }: HttpRequest): Promise<HttpAnswer> => {
    const { pathname } = new URL(url);
    const heard = { action: pathname.replace('/ocm-ip', ''), body: JSON.parse(fromUtf8(body)) as Heard['body'] };
    this.heard.push(heard);
    const told = this.answers(heard);
    if (told) return answer(told.status, told.body ?? {});
    const { status, body: text } = await this.server.integrate({ method, url: pathname, headers, body });
    return answer(status, text);
  };

  /** The bodies that it heard of one kind. */
  bodies = (action: '/shares' | '/revoke') => this.heard.filter((one) => one.action === action).map(({ body }) => body);

  record = (providerId: string) => this.records.find(host('a.test'), providerId);
}

const answer = (status: number, body: object | string): HttpAnswer => ({
  status,
  headers: {},
  body: utf8(typeof body === 'string' ? body : JSON.stringify(body)),
});
