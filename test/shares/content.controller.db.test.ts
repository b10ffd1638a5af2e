import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileKey } from '../../src/content/file-key.js';
import { SEALED_LENGTH, SEGMENT_LENGTH } from '../../src/content/stream-layout.js';
import { fromBase64url } from '../../src/kernel/bytes.js';
import { encryptWhole } from '../content/by-the-page.js';
import type { Person, ReceivedShare, Share } from '../support/cast.js';
import { TestDice } from '../support/dice.js';
import { World } from '../support/world.js';

let world: World;
let alice: Person;
let bob: Person;
let share: Share;
let received: ReceivedShare;
const plaintext = Buffer.from(new TestDice('plaintext').bytes(3 * SEGMENT_LENGTH + 1_000));

beforeAll(async () => {
  world = await World.of('a.test', 'b.test');
  [alice, bob] = await world.users('alice@a.test', 'bob@b.test');
  const group = await alice.createGroup('lab', [bob]);
  await world.settle();
  share = await alice.shareEncrypted(group, 'data.tar');
  await alice.share(group, 'plain.txt');
  await world.settle();
  received = (await bob.receives()).find(({ name }) => name === 'data.tar')!;
});
afterAll(() => world[Symbol.asyncDispose]());

const at = (path: string, body: Uint8Array | Readable, headers = {}) =>
  world.server('a.test').bytes(path, body, headers);
const atBob = (path: string, body: Uint8Array, headers = {}) => world.server('b.test').bytes(path, body, headers);
const encrypted = async () => (await at(`/shares/${share.id}/content/encrypt`, plaintext)).body;
const codeOf = ({ body }: { body: Uint8Array }) => (JSON.parse(Buffer.from(body).toString()) as { code: string }).code;

test('R-187 R-189 a file is encrypted here, each time otherwise, and decrypted by a member on another server', async () => {
  const [one, two] = [await encrypted(), await encrypted()];
  expect(one.length).toBe(two.length);
  expect(Buffer.from(one).equals(two)).toBe(false);
  for (const file of [one, two]) {
    const answer = await atBob(`/received-shares/${received.id}/content/decrypt?user=bob@b.test`, file);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/octet-stream' } });
    expect(Buffer.from(answer.body).equals(plaintext)).toBe(true);
  }
});

test.each([
  ['within a segment', 10, 20],
  ['over a border', SEGMENT_LENGTH - 1, SEGMENT_LENGTH],
  ['the last bytes', 3 * SEGMENT_LENGTH, 3 * SEGMENT_LENGTH + 999],
  ['more than there is', 3 * SEGMENT_LENGTH, 9_999_999],
])('a part of a file: %s', async (_, first, last) => {
  const file = await encrypted();
  const range = `bytes=${first}-${last}`;
  const { body: asked } = await world
    .server('b.test')
    .api('GET', `/content/reading?range=${encodeURIComponent(range)}&size=${file.length}`);
  const span = asked as { first: number; last: number; plaintextSize: number };
  expect(span.plaintextSize).toBe(plaintext.length);
  expect(span.last - span.first).toBeLessThan(2 * SEALED_LENGTH);
  const sent = Buffer.concat([file.subarray(0, 78), file.subarray(span.first, span.last + 1)]);
  const path = `/received-shares/${received.id}/content/decrypt?user=bob@b.test&size=${file.length}`;
  const answer = await atBob(path, sent, { range });
  const end = Math.min(last, plaintext.length - 1);
  expect(answer.status).toBe(206);
  expect(answer.headers['content-range']).toBe(`bytes ${first}-${end}/${plaintext.length}`);
  expect(Buffer.from(answer.body).equals(plaintext.subarray(first, end + 1))).toBe(true);
});

test('R-188 who has the right to read only cannot write back, and who may write can', async () => {
  expect(codeOf(await atBob(`/received-shares/${received.id}/content/encrypt?user=bob@b.test`, plaintext))).toBe(
    'share.read-only',
  );
  const resource = { id: 'both.txt', type: 'file', name: 'both.txt', uri: 'both.txt', permissions: ['read', 'write'] };
  const body = { group: received.group, sender: alice.address, resource, encryption: {} };
  const made = (await world.server('a.test').api('POST', '/shares', body)).body as Share;
  await world.settle();
  const both = (await bob.receives()).find(({ name }) => name === 'both.txt')!;
  const letters = world.network.exchanges.length;
  const written = await atBob(`/received-shares/${both.id}/content/encrypt?user=bob@b.test`, plaintext);
  expect(written.status).toBe(200);
  const read = await at(`/shares/${made.id}/content/decrypt`, written.body);
  expect(Buffer.from(read.body).equals(plaintext)).toBe(true);
  // Nobody else is told.
  expect(world.network.exchanges).toHaveLength(letters);
});

test('each encryption of a file has an ETag of its own, the same for its parts, and If-Match keeps two apart', async () => {
  const [one, two] = [
    await at(`/shares/${share.id}/content/encrypt`, plaintext),
    await at(`/shares/${share.id}/content/encrypt`, plaintext),
  ];
  const { etag } = one.headers;
  expect(etag).toMatch(/^"[\w-]{27}"$/);
  expect(two.headers['etag']).not.toBe(etag);
  const path = `/received-shares/${received.id}/content/decrypt?user=bob@b.test`;
  expect((await atBob(path, one.body)).headers['etag']).toBe(etag);
  const part = (file: Uint8Array, match: string) =>
    atBob(`${path}&size=${file.length}`, file.subarray(0, 78 + SEALED_LENGTH), {
      range: 'bytes=0-9',
      'if-match': match,
    });
  expect(await part(one.body, `"another", ${etag}`)).toMatchObject({ status: 206, headers: { etag } });
  expect(await part(one.body, '*')).toMatchObject({ status: 206 });
  const refused = await part(two.body, String(etag));
  expect([refused.status, codeOf(refused)]).toEqual([412, 'content.changed']);
  expect(codeOf(await atBob(path, two.body, { 'if-match': String(etag) }))).toBe('content.changed');
  // A weak one is never the same bytes.
  expect(codeOf(await part(one.body, `W/${etag}`))).toBe('content.changed');
});

test('what is wrong at once is refused with its own code', async () => {
  const file = await encrypted();
  const flipped = Uint8Array.from(file);
  flipped[100]! ^= 1;
  const path = `/shares/${share.id}/content/decrypt`;
  expect(codeOf(await at(path, flipped))).toBe('content.broken');
  expect(codeOf(await at(path, plaintext))).toBe('content.malformed');
  expect(codeOf(await at(path, new Uint8Array(0)))).toBe('content.malformed');
  expect(codeOf(await at(path, file, { range: 'bytes=1-2' }))).toBe('content.range');
  expect(codeOf(await at(`${path}?size=${file.length}`, file, { range: 'bytes=5-1' }))).toBe('content.range');
  expect(codeOf(await at(`${path}?size=${file.length}`, file, { range: 'bytes=-5' }))).toBe('content.range');
  expect(codeOf(await at(`${path}?size=${file.length}`, file, { range: 'bytes=0-9' }))).toBe('content.malformed');
  expect(codeOf(await at(`${path}?size=77`, file, { range: 'bytes=0-9' }))).toBe('content.malformed');
  expect(codeOf(await at(path, file, { 'content-type': 'application/json' }))).toBe('body.malformed');
  const strangers = await atBob(`/received-shares/${received.id}/content/decrypt?user=eve@b.test`, file);
  expect(codeOf(strangers)).toBe('share.not-recipient');
  // Other routes take no files, and these no documents.
  expect((await at('/shares', file)).status).toBe(415);
  expect((await world.server('a.test').api('POST', path, {})).status).toBe(415);
});

test('what is wrong in the middle ends the answer, and nothing of it is given out as the end', async () => {
  const file = await encrypted();
  const cut = file.subarray(0, 78 + 2 * SEALED_LENGTH);
  await expect(at(`/shares/${share.id}/content/decrypt`, cut)).rejects.toThrow();
});

test('R-163 a file in the whole-file form is read, and a share of that form is not written', async () => {
  await world.server('b.test').query(
    `UPDATE received_share SET encryption = encryption - 'format', resource = jsonb_set(resource, '{permissions}', '["read","write"]')
     WHERE id = $1`,
    [received.id],
  );
  const key = fileKey('AES-256-GCM', fromBase64url(await bob.fileKey('data.tar')));
  const file = encryptWhole('AES-256-GCM', key.bytes, new TestDice('nonce').bytes(12), Buffer.from('whole'));
  const path = `/received-shares/${received.id}/content`;
  const answer = await atBob(`${path}/decrypt?user=bob@b.test`, file);
  expect(Buffer.from(answer.body).toString()).toBe('whole');
  expect(codeOf(await atBob(`${path}/encrypt?user=bob@b.test`, plaintext))).toBe('content.form-read-only');
});
