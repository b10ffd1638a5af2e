import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomesOn, rewritten } from '../third-parties/outcomes-page.js';
import type { Person } from '../support/cast.js';
import { World } from '../support/world.js';
import { agree } from './agreement.js';
import { audited } from './audited.js';
import { canDump, DumpedDatabase } from './dumped.js';
import { StoredFile } from './stored-file.js';
import { Witness } from './witness.js';

const PAGE = 'docs/restore.md';
const HEADING = 'What every server saw';
const HOUR = 3_600_000;

describe.skipIf(!canDump)('with the real pg_dump', () => {
  let database: DumpedDatabase;
  let world: World;
  let lab: string;
  let [alice, bob, bella, charlie, dora]: [Person, Person, Person, Person, Person] = [] as never;
  const b = () => world.server('b.test');
  const noticed = async () => (await audited(world, 'b.test')).filter(({ act }) => act === 'backup.restored').length;

  beforeAll(async () => {
    database = await DumpedDatabase.create();
    world = await World.with({ 'a.test': {}, 'b.test': { DATABASE_URL: database.url }, 'c.test': {} });
    const names = ['alice@a.test', 'bob@b.test', 'bella@b.test', 'charlie@c.test', 'dora@c.test'] as const;
    [alice, bob, bella, charlie, dora] = await world.users(...names);
    lab = await alice.createGroup('lab', [bob, bella, charlie]);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    database.forget();
  });

  test('D-31 R-041 R-139 the story of a server that is set up from an old dump, as the page tells it', async () => {
    const data = await StoredFile.of(alice, lab, 'data.tar', 'secret');
    const old = await alice.share(lab, 'old.txt');
    await bob.share(lab, 'bobs.txt');
    await world.settle();
    const witness = new Witness(world, lab, [alice, bob, charlie], data);
    await database.dump();
    await witness.notes('the dump of b.test is made');

    await alice.remove(lab, bella);
    await alice.add(lab, dora);
    await world.settle();
    await data.rotate();
    await alice.unshare(old);
    await alice.share(lab, 'new.txt');
    await bob.share(lab, 'bobs-new.txt');
    await world.settle();
    expect(await data.readBy(bob)).toBe('secret');
    await witness.notes('life goes on: Bella is removed, Dora added, shares come and go, a file has a new key');

    world.clock.advanceDays(1);
    await database.restoreFor(b());
    await alice.appoint(lab, charlie);
    await world.settle();
    await witness.notes('b.test is lost with its database; a.test makes Charlie an admin');

    // Nobody remembers any more that it did not answer.
    world.clock.advanceHours(1);
    const sent = world.network.sent({ from: b().host }).length;
    await b().restart();
    expect(await noticed()).toBe(1);
    expect(await bob.sees(lab)).toMatchObject({ state: 'drifted' });
    const before = world.network.sent({ from: b().host }).slice(sent);
    expect(before.filter(({ what }) => what.startsWith('MLS_') || what === '/ocm/shares')).toEqual([]);
    await witness.notes('b.test starts on the dump; its workers stand still');

    await world.server('a.test').drain();
    await world.settle();
    const [first] = world.network.sent({ from: b().host }).filter(({ what }) => what.startsWith('MLS_'));
    expect(first).toBeDefined();
    await witness.notes('everybody works');
    await agree(lab, alice, bob, charlie);

    await world.pass(2 * HOUR);
    await witness.notes('two hours go by');
    await agree(lab, alice, bob, charlie);
    expect(await data.readBy(bob)).toBe('secret');
    const mine = await StoredFile.of(bob, lab, 'bobs-data.tar', 'of Bob');
    await world.settle();
    for (const who of [alice, charlie, dora]) expect(await mine.readBy(who)).toBe('of Bob');
    await witness.notes('Bob shares bobs-data.tar, encrypted');
    const seen = { parties: witness.columns, rows: witness.rows };
    if (process.env['COVEY_WRITE_RESTORE']) {
      writeFileSync(PAGE, rewritten(readFileSync(PAGE, 'utf8'), HEADING, seen));
    }
    expect(outcomesOn(readFileSync(PAGE, 'utf8'), HEADING)).toEqual(seen);
  });

  test('D-31 a dump made under load is of one moment, and what left while it was made is noticed', async () => {
    const moment = await database.moment();
    await bob.share(lab, 'under-load.txt');
    await world.settle();
    expect(await alice.open('under-load.txt')).toHaveProperty('access_token');
    await moment.dump();
    const before = await noticed();
    await database.restoreFor(b());
    await b().restart();
    // Nothing has left since the dump was finished.
    expect(await noticed()).toBe(before + 1);
    expect(await bob.sees(lab)).toMatchObject({ state: 'drifted' });
    expect((await bob.receives()).map(({ name }) => name)).not.toContain('under-load.txt');
    await world.pass(HOUR);
    await agree(lab, alice, bob, charlie);
  });

  test('D-31 on a new machine the step back is hidden until the next epoch, unless somebody says so', async () => {
    await database.dump();
    const before = await noticed();
    await bob.shareEncrypted(lab, 'lost.tar');
    await world.settle();
    expect(await alice.fileKey('lost.tar')).toMatch(/^[\w-]{43}$/);
    await database.restoreFor(b());
    await b().restart({ COVEY_DATA: database.emptyFolder() });
    expect(await noticed()).toBe(before);
    await bob.shareEncrypted(lab, 'again.tar');
    await world.settle();
    expect(await alice.fileKey('again.tar')).toBe('share.no-key-yet');
    await alice.dismiss(lab, charlie);
    await world.settle();
    await agree(lab, alice, bob, charlie);
    expect(await alice.fileKey('again.tar')).toMatch(/^[\w-]{43}$/);

    const folder = database.emptyFolder();
    await database.restoreFor(b());
    await database.marked(folder);
    await b().restart({ COVEY_DATA: folder });
    expect(await noticed()).toBe(before + 1);
    expect(await bob.sees(lab)).toMatchObject({ state: 'drifted' });
    await world.pass(HOUR);
    await agree(lab, alice, bob, charlie);
    await b().restart();
    expect(await noticed()).toBe(before + 1);
  });
});
