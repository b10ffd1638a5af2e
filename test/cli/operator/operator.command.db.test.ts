import { expect, test } from 'vitest';
import { operator } from '../../../src/cli/operator/operator.command.js';
import type { TestServer } from '../../support/server.js';
import { World } from '../../support/world.js';

/** What a person types on a server's machine, and what is shown. */
async function typed(world: World, server: TestServer, line: string) {
  const shown: string[] = [];
  const code = await operator(line.split(' '), {
    clock: world.clock,
    environment: { COVEY_API_KEY: 'stands for the one of the test server', COVEY_LISTEN: '0.0.0.0:8400' },
    send: (url, _key, { method, path, body }) => {
      expect(url).toBe('http://127.0.0.1:8400');
      return server.api(method, path, body);
    },
    out: (text) => shown.push(text),
    err: (text) => shown.push(text),
  });
  return { code, text: shown.join('\n') };
}

test('an operator sees the group, approves what waits, and sees who does not answer', async () => {
  await using world = await World.of('a.test', 'b.test');
  const [alice, bob, carol] = await world.users('alice@a.test', 'bob@b.test', 'carol@a.test');
  const lab = await alice.createGroup('lab', [bob]);
  await bob.add(lab, carol);
  await world.settle();
  const a = world.server('a.test');

  expect((await typed(world, a, 'groups')).text).toContain('lab@a.test  active  1      alice@a.test');
  const inbox = await typed(world, a, 'approvals alice@a.test');
  expect(inbox.text).toMatch(/^add carol@a\.test in lab@a\.test\n {2}asked by {6}bob@b\.test, /);
  const id = /id +(\S+)$/.exec(inbox.text)![1]!;
  expect(await typed(world, a, `approve ${id} --by alice@a.test`)).toMatchObject({ code: 0 });
  const twice = await typed(world, a, `decline ${id} --by alice@a.test --reason late`);
  expect(twice).toMatchObject({
    code: 1,
    text: expect.stringMatching(/^refused \(409\): .*approval\.decided/) as string,
  });

  world.wire('a.test', 'b.test').cut();
  await world.settle();
  const { text } = await typed(world, a, 'group lab@a.test');
  expect(text).toContain('3 members on 2 servers');
  expect(text).toContain('it has one admin only');
  expect((await typed(world, a, 'deliveries')).text).toMatch(/\nb\.test +failing +.*peer\.unreachable$/);
  expect((await typed(world, a, 'delivery b.test')).text).toContain('MLS_COMMIT');
  world.wire('a.test', 'b.test').mend();
  expect((await typed(world, a, 'try-again b.test')).text).toMatch(/^[0-9]+ lanes? tried again now$/);
  await world.settle();
  expect((await bob.sees(lab)).epoch).toBe(2);

  const lines = (await typed(world, a, 'audit --group lab@a.test')).text.split('\n');
  expect(lines.map((one) => (JSON.parse(one) as { act: string }).act)).toContain('change.approved');
  expect(await typed(world, a, 'group nobody@a.test')).toMatchObject({ code: 1 });
});

test('what is not understood, no key, and no service each have their own exit code', async () => {
  const said: string[] = [];
  const run = (environment: Record<string, string>, args: string[], status?: number) =>
    operator(args, {
      clock: { now: () => new Date(0) },
      environment,
      send: () =>
        status === undefined ? Promise.reject(new Error('refused')) : Promise.resolve({ status, body: 'no' }),
      out: () => undefined,
      err: (text) => said.push(text),
    });
  expect(await run({}, [])).toBe(64);
  expect(await run({ COVEY_DATA: '/nowhere' }, ['groups'])).toBe(69);
  expect(await run({ COVEY_API_KEY: 'k' }, ['groups'])).toBe(69);
  expect(await run({ COVEY_API_KEY: 'k' }, ['groups'], 401)).toBe(69);
  expect(said.map((text) => text.split(/[ :]/)[0])).toEqual(['usage', 'No', 'Covey', 'Covey']);
});
