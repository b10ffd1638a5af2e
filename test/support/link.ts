import { Fault } from '../../src/kernel/fault.js';
import type { HttpAnswer } from '../../src/kernel/network.js';
import type { TestClock } from './clock.js';
import type { Exchange } from './wire.js';

type Deliver = () => Promise<HttpAnswer>;
/** What an accident happens to: the next exchange whose `what` (a notification type, or a path) is that. */
type Only = string | undefined;

interface Accident {
  readonly only: Only;
  readonly happen: (deliver: Deliver, exchange: Exchange) => Promise<HttpAnswer>;
}

const silence = () => new Fault('peer.timeout', { reason: 'the wire was broken on purpose' });

/** The way of requests from one host to another. Accidents wait in line; each happens to one exchange. */
export class Link {
  private isCut = false;
  private slowness = 0;
  private readonly accidents: Accident[] = [];
  private held: { deliver: Deliver; due?: number }[] = [];

  constructor(private readonly clock: TestClock) {}

  /** Nothing comes through any more. */
  cut(): this {
    this.isCut = true;
    return this;
  }

  mend(): this {
    this.isCut = false;
    this.slowness = 0;
    return this;
  }

  /** Every exchange takes that long; what takes longer than its sender waits is handled, and the sender hears nothing. */
  slow(ms: number): this {
    this.slowness = ms;
    return this;
  }

  /** Never arrives; its sender hears nothing. */
  loseNextRequest(only?: Only): this {
    return this.next(only, () => Promise.reject(silence()));
  }

  /** Arrives and is handled; its sender hears nothing. */
  loseNextResponse(only?: Only): this {
    return this.next(only, async (deliver) => {
      await deliver();
      throw silence();
    });
  }

  /** Arrives twice, byte for byte; its sender hears the first answer. */
  duplicateNext(only?: Only): this {
    return this.next(only, async (deliver) => {
      const answer = await deliver();
      await deliver();
      return answer;
    });
  }

  /** Arrives after the request behind it; its sender hears nothing. */
  reorderNext(only?: Only): this {
    return this.next(only, (deliver) => {
      this.held.push({ deliver });
      return Promise.reject(silence());
    });
  }

  /** Arrives that much later, long after its sender has stopped to wait. */
  delayNext(ms: number, only?: Only): this {
    return this.next(only, (deliver) => {
      this.held.push({ deliver, due: this.clock.now().getTime() + ms });
      return Promise.reject(silence());
    });
  }

  /** Is answered by somebody in between, and never arrives. */
  answerNext(status: number, only?: Only, body = '{}'): this {
    const headers = { 'content-type': 'application/json' };
    return this.next(only, () => Promise.resolve({ status, headers, body: new TextEncoder().encode(body) }));
  }

  /** What was to happen to later exchanges will not. */
  calm(): this {
    this.accidents.length = 0;
    return this;
  }

  /** For the wire: takes one exchange over. */
  async carry(exchange: Exchange, deliver: Deliver): Promise<HttpAnswer> {
    if (this.isCut) throw new Fault('peer.unreachable', { reason: 'the wire is cut' });
    const index = this.accidents.findIndex(({ only }) => only === undefined || only === exchange.what);
    const [accident] = index < 0 ? [] : this.accidents.splice(index, 1);
    if (accident) return accident.happen(deliver, exchange);
    const answer = await deliver();
    const behind = this.held.filter(({ due }) => due === undefined);
    this.held = this.held.filter(({ due }) => due !== undefined);
    for (const late of behind) await late.deliver().catch(() => undefined);
    if (this.slowness >= exchange.request.timeoutMs) throw silence();
    return answer;
  }

  /** For the wire: what is due by now. */
  takeDue(): (() => Promise<unknown>)[] {
    const isDue = ({ due }: { due?: number }) => due !== undefined && due <= this.clock.now().getTime() && !this.isCut;
    const due = this.held.filter(isDue);
    this.held = this.held.filter((late) => !isDue(late));
    return due.map(
      ({ deliver }) =>
        () =>
          deliver().catch(() => undefined),
    );
  }

  heldUntil(): number[] {
    return this.held.flatMap(({ due }) => due ?? []);
  }

  private next(only: Only, happen: Accident['happen']): this {
    this.accidents.push({ only, happen });
    return this;
  }
}
