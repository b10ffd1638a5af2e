import type { Host } from '../../src/kernel/address.js';
import { Fault } from '../../src/kernel/fault.js';
import { type HttpAnswer, type HttpRequest, Network } from '../../src/kernel/network.js';
import { isAddress, mayConnect } from '../../src/ocm/public-ip.js';
import type { TestClock } from './clock.js';
import { Link } from './link.js';

/** What answers on a host; undefined when it died over the request. */
export type Serve = (request: HttpRequest, from: Host) => Promise<HttpAnswer | undefined>;

/** One request as it went over the wire, or failed to. */
export interface Exchange {
  readonly from: Host;
  readonly to: Host;
  /** The notification type, or else the path. */
  readonly what: string;
  readonly request: HttpRequest;
  readonly at: Date;
  /** Whether the request was handled, and how often. */
  deliveries: number;
  /** What the receiver answered, whether or not that came through. */
  answer?: HttpAnswer;
  /** What the sender saw: a status, or the code of a fault. */
  outcome: number | string;
}

interface Place {
  readonly address: string;
  readonly serve?: Serve;
}

/** The network between servers. It obeys the policy on addresses, can be broken at will, and remembers everything. */
export class Wire {
  readonly exchanges: Exchange[] = [];
  private readonly places = new Map<string, Place>();
  private readonly links = new Map<string, Link>();

  constructor(private readonly clock: TestClock) {}

  /** Something answers on that host. Without an address it gets one that looks public. */
  attach(host: Host, serve: Serve, address?: string): void {
    this.places.set(host, {
      address: address ?? this.places.get(host)?.address ?? `5.1.0.${this.places.size + 1}`,
      serve,
    });
  }

  /** The name is known, and nothing listens there. */
  detach(host: Host): void {
    this.places.set(host, { address: this.places.get(host)?.address ?? `5.1.0.${this.places.size + 1}` });
  }

  addressOf(host: Host): string {
    return this.places.get(host)?.address ?? '5.1.255.1';
  }

  /** The way of requests from one host to another, to be broken. Answers travel back on it. */
  between(from: Host, to: Host): Link {
    const key = `${from} ${to}`;
    const link = this.links.get(key) ?? new Link(this.clock);
    this.links.set(key, link);
    return link;
  }

  /** What `from` sends with. */
  networkOf(from: Host, isAlive: () => boolean): Network {
    const send = (request: HttpRequest) => this.send(from, request, isAlive);
    return new (class extends Network {
      fetch(request: HttpRequest): Promise<HttpAnswer> {
        return send(request);
      }
    })();
  }

  /** The exchanges that match every given field, in order. */
  sent(where: Partial<Pick<Exchange, 'from' | 'to' | 'what' | 'outcome'>>): Exchange[] {
    const fields = Object.entries(where) as [keyof Exchange, unknown][];
    return this.exchanges.filter((exchange) => fields.every(([name, value]) => exchange[name] === value));
  }

  /** Delivers what was held back and is due by now. Returns whether there was any. */
  async deliverLate(): Promise<boolean> {
    const due = [...this.links.values()].flatMap((link) => link.takeDue());
    for (const deliver of due) await deliver();
    return due.length > 0;
  }

  /** When the next of what was held back is due. */
  nextDue(): Date | undefined {
    const times = [...this.links.values()].flatMap((link) => link.heldUntil());
    return times.length === 0 ? undefined : new Date(Math.min(...times));
  }

  private async send(from: Host, request: HttpRequest, isAlive: () => boolean): Promise<HttpAnswer> {
    const { host, pathname, hostname, protocol } = new URL(request.url);
    const to = host as Host;
    const exchange: Exchange = {
      from,
      to,
      what: kindOf(request) ?? pathname,
      request,
      at: this.clock.now(),
      deliveries: 0,
      outcome: 'pending',
    };
    this.exchanges.push(exchange);
    try {
      if (!isAlive()) throw new Fault('peer.unreachable', { reason: 'the sender is dead' });
      const { address } = this.places.get(to) ?? { address: hostname };
      if (!this.places.has(to) && !isAddress(hostname)) throw new Fault('peer.unreachable', { host: to });
      if (!mayConnect(address, 'public-only')) throw new Fault('peer.address-refused', { host: to });
      if (protocol !== 'https:') throw new Fault('peer.unreachable', { reason: 'only TLS is spoken here' });
      const answer = await this.between(from, to).carry(exchange, () => this.deliver(exchange));
      if (!isAlive()) throw new Fault('peer.unreachable', { reason: 'the sender died' });
      exchange.outcome = answer.status;
      if (request.headOnly === true) return { ...answer, body: new Uint8Array() };
      if (answer.body.length > request.maxBytes) throw new Fault('peer.answer-too-large', { host: to });
      return answer;
    } catch (error) {
      exchange.outcome = error instanceof Fault ? error.code : String(error);
      throw error;
    }
  }

  private async deliver(exchange: Exchange): Promise<HttpAnswer> {
    const { serve } = this.places.get(exchange.to) ?? {};
    if (!serve) throw new Fault('peer.unreachable', { host: exchange.to });
    exchange.deliveries += 1;
    const answer = await serve(exchange.request, exchange.from);
    if (!answer) throw new Fault('peer.unreachable', { host: exchange.to, reason: 'the connection broke' });
    exchange.answer ??= answer;
    return answer;
  }
}

function kindOf({ body }: HttpRequest): string | undefined {
  try {
    const parsed = JSON.parse(Buffer.from(body ?? []).toString()) as { notificationType?: unknown };
    return typeof parsed.notificationType === 'string' ? parsed.notificationType : undefined;
  } catch {
    return undefined;
  }
}
