import { expect, test } from 'vitest';
import { answerFields, requestFields } from '../../src/upstream/passed-fields.js';

const NAME = 'covey.b.test';
const passed = (...fields: string[]) => requestFields(['Host', 'b.test', ...fields], NAME).slice(2, -2);

test('fields are passed on in their order and spelling, and where they came through is added', () => {
  const fields = ['Host', 'b.test', 'X-b', '1', 'x-A', '2', 'X-b', '3', 'Via', '1.0 old'];
  expect(requestFields(fields, NAME)).toEqual([...fields, 'Via', `1.1 ${NAME}`]);
});

test.each(['Connection', 'Proxy-Connection', 'Keep-Alive', 'TE', 'Transfer-Encoding', 'Upgrade', 'Trailer', 'Expect'])(
  '%s is for us alone',
  (name) => expect(passed(name, 'x', name.toUpperCase(), 'y', 'X-Kept', '1')).toEqual(['X-Kept', '1']),
);

test('what Connection names is for us alone, in any spelling and in several fields', () => {
  expect(passed('Connection', 'close, x-One', 'X-ONE', '1', 'connection', 'X-Two', 'x-two', '2', 'X-3', '3')).toEqual([
    'X-3',
    '3',
  ]);
});

test.each([
  'Content-Length',
  'Content-Digest',
  'Authorization',
  'Signature',
  'Signature-Input',
  'X-Forwarded-For',
  'Forwarded',
])('Connection does not take away %s', (name) => expect(passed('Connection', name, name, '1')).toEqual([name, '1']));

test('Connection does not take away the Host', () => {
  expect(requestFields(['Connection', 'host', 'Host', 'b.test'], NAME).slice(0, 2)).toEqual(['Host', 'b.test']);
});

test.each([[[]], [['host', 'c.test', 'Host', 'b.test']]])('there is one Host: %j', (fields) => {
  expect(() => requestFields(fields, NAME)).toThrow('request.malformed');
});

test.each(['1.1 covey.b.test', '1.0 x, 1.1 covey.b.test (Covey), 1.1 y'])('a loop is seen: Via: %s', (via) => {
  expect(() => passed('VIA', via)).toThrow('upstream.loop');
});

test.each(['1.1 b.test', '1.1 covey.a.test', 'covey.b.test'])('other ways are no loop: Via: %s', (via) => {
  expect(passed('Via', via)).toEqual(['Via', via]);
});

test('an answer keeps what is meant for the one who asked', () => {
  const fields = ['Connection', 'X-Hop', 'Keep-Alive', 'timeout=5', 'X-Hop', '1', 'Transfer-Encoding', 'chunked'];
  expect(answerFields([...fields, 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Expect', 'no'])).toEqual([
    'Set-Cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'Expect',
    'no',
  ]);
});
