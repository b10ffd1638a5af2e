import { expect, test } from 'vitest';
import { toBase64url } from '../../src/kernel/bytes.js';
import type { Person } from '../support/cast.js';
import { agree } from './agreement.js';
import { audited, type Line } from './audited.js';
import { invitation, labOfThree, notice, tell } from './forgery.js';

const acts = (lines: readonly Line[]) => lines.map(({ act }) => act);

test('D-16 every server writes down how a group came to it, what was approved, and each epoch with its Commit', async () => {
  const { world, lab, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  await alice.appoint(lab, bob);
  await world.settle();
  await bob.remove(lab, charlie);
  await world.settle();
  const { epoch } = await agree(lab, alice, bob);

  const atAlice = await audited(world, 'a.test', lab);
  expect(atAlice.slice(0, 3)).toMatchObject([
    { act: 'group.founded', actor: alice.address, epoch: 0 },
    { act: 'change.approved', actor: alice.address, subject: bob.address, facts: { kind: 'add' } },
    { act: 'change.approved', actor: alice.address, subject: charlie.address, facts: { kind: 'add' } },
  ]);
  const atBob = await audited(world, 'b.test', lab);
  expect(atBob.slice(0, 2)).toMatchObject([
    { act: 'address.bound', actor: 'a.test' },
    { act: 'group.joined', actor: 'a.test', subject: bob.address },
  ]);
  // Whose approval it was is known where it was given; the Commit is the same everywhere.
  expect(atBob.find(({ facts }) => facts?.['kind'] === 'remove')).toMatchObject({
    act: 'change.approved',
    actor: bob.address,
    subject: charlie.address,
  });
  expect(acts(atAlice).filter((act) => act === 'change.approved')).toHaveLength(3);
  const last = (lines: readonly Line[]) => lines.findLast(({ act }) => act === 'epoch.entered');
  expect(last(atAlice)).toMatchObject({
    actor: bob.address,
    epoch,
    digest: (await alice.sees(lab)).lastCommit!.digest,
    facts: { arbiter: 'a.test', removed: [charlie.address] },
  });
  for (const host of ['b.test', 'c.test']) {
    const { digest, facts } = last(await audited(world, host, lab))!;
    expect({ digest, facts }).toEqual({ digest: last(atAlice)!.digest, facts: last(atAlice)!.facts });
  }
});

test('what a person may ask about is there: wishes that were refused, and changes that came to nothing', async () => {
  const { world, lab, alice, bob } = await labOfThree();
  await using _ = world;
  const refusedFor = async (wish: (who: Person) => Promise<unknown>, who: Person) =>
    expect(wish(who)).rejects.toThrow(/change\./);
  await refusedFor((who) => alice.add(lab, who), bob);
  await refusedFor((who) => alice.add(lab, who), bob);
  await refusedFor((who) => who.resign(lab), alice);
  await alice.add(lab, 'nobody@b.test');
  await world.pass(10 * 24 * 3_600_000);
  expect((await audited(world, 'a.test', lab)).filter(({ code }) => code !== undefined)).toMatchObject([
    { act: 'wish.refused', actor: alice.address, subject: bob.address, code: 'change.already-member' },
    { act: 'wish.refused', actor: alice.address, subject: alice.address, code: 'change.last-admin' },
    { act: 'change.refused', actor: alice.address, subject: 'nobody@b.test', facts: { kind: 'add' } },
  ]);
});

test('D-16 what other servers tried in vain is there once, and what was only late is not', async () => {
  const { world, lab, mlsGroupId, alice, bob, charlie } = await labOfThree();
  await using _ = world;
  const taken = await invitation(world, 'lab@a.test', charlie.address, bob.address);
  for (let times = 0; times < 3; times++) {
    expect(await tell(world, 'c.test', 'b.test', taken)).toMatchObject({ code: 'welcome.address-bound' });
  }
  const nonsense = notice('MLS_COMMIT', 'c.test', { mlsGroupId, content: toBase64url(new Uint8Array(200).fill(1)) });
  expect(await tell(world, 'c.test', 'a.test', nonsense)).toMatchObject({ status: 400 });
  expect((await audited(world, 'b.test')).filter(({ act }) => act === 'mail.refused')).toMatchObject([
    {
      actor: 'c.test',
      subject: bob.address,
      code: 'welcome.address-bound',
      facts: { notification: 'MLS_WELCOME', address: 'lab@a.test' },
    },
  ]);
  expect((await audited(world, 'a.test', lab)).filter(({ act }) => act === 'mail.refused')).toMatchObject([
    { actor: 'c.test', facts: { notification: 'MLS_COMMIT' } },
  ]);
  await agree(lab, alice, bob, charlie);
});
