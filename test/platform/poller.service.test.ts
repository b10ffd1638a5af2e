import { expect, test } from 'vitest';
import { Log } from '../../src/platform/logger.service.js';
import { Metrics } from '../../src/platform/metrics.service.js';
import { Poller, type Turn } from '../../src/platform/poller.service.js';

const LONG = { everyMs: 3_600_000 };

function poller() {
  const lines: string[] = [];
  const metrics = new Metrics();
  return { lines, metrics, poller: new Poller(new Log('warn', { write: (line) => lines.push(line) }), metrics) };
}

/** A worker whose turns are let through one by one. */
class Gate implements Turn {
  readonly name: string;
  begun = 0;
  private readonly waiting: { resolve: (more: boolean) => void; reject: (error: Error) => void }[] = [];
  private readonly arrivals: (() => void)[] = [];

  constructor(name = 'test.gate') {
    this.name = name;
  }

  turn(): Promise<boolean> {
    this.begun++;
    const done = new Promise<boolean>((resolve, reject) => this.waiting.push({ resolve, reject }));
    for (const arrive of this.arrivals.splice(0)) arrive();
    return done;
  }

  /** Waits for the turn to begin. */
  async begins(): Promise<void> {
    while (this.waiting.length === 0) await new Promise<void>((resolve) => this.arrivals.push(resolve));
  }

  async ends(more: boolean | Error): Promise<void> {
    await this.begins();
    const { resolve, reject } = this.waiting.shift()!;
    if (more instanceof Error) reject(more);
    else resolve(more);
  }
}

test('nothing runs before the start', () => {
  const { poller: idle } = poller();
  const gate = new Gate();
  idle.add(gate, LONG);
  idle.wake(gate.name);
  expect([gate.begun, idle.turns]).toEqual([0, [gate]]);
});

test('turns follow each other while there may be more, and then one follows a hint', async () => {
  const { poller: running } = poller();
  const gate = new Gate();
  running.add(gate, LONG);
  running.start();
  await gate.ends(true);
  await gate.ends(true);
  await gate.ends(false);
  running.wake(gate.name);
  await gate.begins();
  expect(gate.begun).toBe(4);
  await Promise.all([gate.ends(false), running.stop()]);
});

test('a hint that comes during a turn is not lost', async () => {
  const { poller: running } = poller();
  const gate = new Gate();
  running.add(gate, LONG);
  running.start();
  await gate.begins();
  running.wake(gate.name);
  await gate.ends(false);
  await gate.begins();
  expect(gate.begun).toBe(2);
  await Promise.all([gate.ends(false), running.stop()]);
});

test('without a hint a turn comes when its time has come', async () => {
  const { poller: running } = poller();
  const gate = new Gate();
  running.add(gate, { everyMs: 1 });
  running.start();
  for (let round = 0; round < 3; round++) await gate.ends(false);
  await gate.begins();
  await Promise.all([running.stop(), gate.ends(false)]);
});

test('several loops take turns at the same time', async () => {
  const { poller: running } = poller();
  const gate = new Gate();
  running.add(gate, { ...LONG, loops: 3 });
  running.start();
  await gate.begins();
  expect(gate.begun).toBe(3);
  await Promise.all([running.stop(), gate.ends(false), gate.ends(false), gate.ends(false)]);
});

test('a turn that fails is logged and counted, and holds up no other worker', async () => {
  const { poller: running, lines, metrics } = poller();
  const [bad, good] = [new Gate('test.bad'), new Gate('test.good')];
  running.add(bad, LONG);
  running.add(good, LONG);
  running.start();
  await bad.ends(new Error('broken'));
  await good.ends(true);
  await good.begins();
  expect(JSON.parse(lines[0]!)).toMatchObject({ event: 'turn.failed', worker: 'test.bad', err: { message: 'broken' } });
  expect(await metrics.text()).toContain('covey_turn_failures_total{worker="test.bad"} 1');
  running.wake('test.bad');
  await bad.begins();
  await Promise.all([running.stop(), bad.ends(false), good.ends(false)]);
});

test('a stop waits for the turn that is under way, and begins none', async () => {
  const { poller: running } = poller();
  const gate = new Gate();
  running.add(gate, LONG);
  running.start();
  await gate.begins();
  let stopped = false;
  const stop = running.stop().then(() => (stopped = true));
  await Promise.resolve();
  expect(stopped).toBe(false);
  await gate.ends(true);
  await stop;
  expect(gate.begun).toBe(1);
});

test('two workers may not have the same name', () => {
  const { poller: idle } = poller();
  idle.add(new Gate(), LONG);
  expect(() => idle.add(new Gate(), LONG)).toThrow('test.gate');
});
