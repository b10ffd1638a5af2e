import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { judge, type Reply, type Ruling } from '../../src/outbox/parcel.js';

const AT = new Date('2027-01-04T09:00:00Z');
const FIRST_TRY = { tries: 1, peerFailures: 0, mostTries: 200 };

const answer = (status: number, body: object | string = '', headers: Record<string, string> = {}): Reply => ({
  kind: 'answer',
  answer: { status, headers, body: utf8(typeof body === 'string' ? body : JSON.stringify(body)) },
});
const ruled = (reply: Reply, patience = FIRST_TRY): Ruling => judge(reply, AT, patience);
const again = (blame: string, reason: string, retryAfterMs = 0) => ({ kind: 'again', blame, reason, retryAfterMs });

describe('what an answer means', () => {
  test.each([200, 201, 202, 204])('%i: delivered', (status) => {
    expect(ruled(answer(status))).toEqual({ kind: 'delivered' });
  });

  test.each([400, 402, 403, 404, 405, 409, 410, 413, 415, 422, 431, 451])(
    '%i in words of OCM: refused for good, with the reason',
    (status) => {
      const reply = answer(status, { message: 'NO', code: 'commit.stale' });
      expect(ruled(reply)).toEqual({ kind: 'refused', reason: `http ${status} commit.stale` });
    },
  );

  test.each([400, 403, 409, 413, 422])('%i without a word: refused all the same', (status) => {
    expect(ruled(answer(status))).toEqual({ kind: 'refused', reason: `http ${status}` });
  });

  test.each([404, 405])('a bare %i is not an answer of an OCM server, so the letter is kept', (status) => {
    expect(ruled(answer(status, '<h1>Not Found</h1>'))).toEqual(again('both', `http ${status}`));
    expect(ruled(answer(status, { message: 'there is no such share' }))).toMatchObject({ kind: 'refused' });
  });

  test.each([301, 308, 401, 408, 421, 423, 425, 500, 502, 503, 504, 599])('%i: tried again', (status) => {
    expect(ruled(answer(status))).toEqual(again('both', `http ${status}`));
  });

  test('429: the peer asks for patience, and nothing is held against the letter', () => {
    expect(ruled(answer(429, '', { 'retry-after': '30' }))).toEqual(again('peer', 'http 429', 30_000));
  });

  test('503 trust.held: an operator there has to decide, and no letter dies over that', () => {
    const held = answer(503, { message: 'TRUST_HELD', code: 'trust.held' }, { 'retry-after': '900' });
    expect(ruled(held)).toEqual(again('peer', 'http 503 trust.held', 900_000));
    const patience = { tries: 1_000, peerFailures: 1_000, mostTries: 3 };
    expect(judge(held, AT, patience)).toMatchObject({ kind: 'again' });
    expect(judge(answer(429), AT, patience)).toMatchObject({ kind: 'again' });
    expect(judge(answer(503), AT, patience)).toMatchObject({ kind: 'dead' });
  });

  test.each(['group.unknown', 'commit.too-early', 'share.queue-full', 'inbox.full', 'mls.group-unknown'])(
    '503 %s: the peer is well, this lane waits',
    (code) => {
      const reply = answer(503, { message: code, code }, { 'retry-after': '5' });
      expect(ruled(reply)).toEqual(again('letter', `http 503 ${code}`, 5_000));
    },
  );

  test.each(['database.unavailable', 'signature.key-unavailable', 'something.else'])(
    '503 %s: the peer itself is in trouble',
    (code) => {
      expect(ruled(answer(503, { message: 'X', code }))).toMatchObject({ kind: 'again', blame: 'both' });
    },
  );

  test('501 sets the peer aside, unless it names what in the letter it does not take', () => {
    expect(ruled(answer(501))).toEqual({ kind: 'unsupported', reason: 'http 501' });
    expect(ruled(answer(501, { message: 'NOT_SUPPORTED' }))).toMatchObject({ kind: 'unsupported' });
    expect(ruled(answer(501, { message: 'X', code: 'share.encryption-unsupported' }))).toMatchObject({
      kind: 'refused',
    });
  });

  test('silence is held against the peer, what we could not send against the letter', () => {
    expect(ruled({ kind: 'silence', reason: 'peer.timeout' })).toEqual(again('peer', 'peer.timeout'));
    expect(ruled({ kind: 'unsent', reason: 'internal' })).toEqual(again('letter', 'internal'));
  });

  test('sentences of a peer are not taken into the reason', () => {
    expect(ruled(answer(403, { message: 'go away, alice@example.org' }))).toEqual({
      kind: 'refused',
      reason: 'http 403',
    });
  });
});

describe('how long it is tried', () => {
  const silence: Reply = { kind: 'silence', reason: 'peer.unreachable' };
  const patience = { tries: 1, peerFailures: 0, mostTries: 3 };

  test('a letter that was tried as often as allowed is dead', () => {
    expect(ruled(silence, { ...patience, tries: 2 })).toMatchObject({ kind: 'again' });
    expect(ruled(silence, { ...patience, tries: 3 })).toMatchObject({ kind: 'dead', reason: 'peer.unreachable' });
    expect(ruled(answer(503, { message: 'X', code: 'group.unknown' }), { ...patience, tries: 3 }).kind).toBe('dead');
  });

  test('a letter to a peer that failed as often in a row is dead, even if it shared the tries with others', () => {
    expect(ruled(silence, { ...patience, peerFailures: 1 })).toMatchObject({ kind: 'again' });
    expect(ruled(silence, { ...patience, peerFailures: 2 })).toMatchObject({ kind: 'dead' });
    const busy = answer(503, { message: 'X', code: 'group.unknown' });
    expect(ruled(busy, { ...patience, peerFailures: 9 }).kind).toBe('again');
  });

  test('what was delivered or refused with the last try is that, not dead', () => {
    const last = { tries: 3, peerFailures: 5, mostTries: 3 };
    expect([ruled(answer(201), last).kind, ruled(answer(409), last).kind]).toEqual(['delivered', 'refused']);
  });
});
