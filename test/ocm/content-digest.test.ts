import { expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { contentDigest, judgeDigest } from '../../src/ocm/content-digest.js';
import { body, head } from './ocm-appendix-b.js';
import { testRequest, testRequestBody, testResponse, testResponseBody } from './rfc9421.js';

const form = utf8('grant_type=authorization_code&client_id=receiver.example.org&code=my_secret_code');
const of = (head: { fields: Readonly<Record<string, unknown>> }) => String(head.fields['content-digest']);

test('the digests of OCM core are made as printed', () => {
  expect(contentDigest(form)).toBe('sha-256=:81kCnlO5UY/mZ8UgpxBWnq18GY3WhzJnDjOTvSvjbhw=:');
  expect(contentDigest(new Uint8Array())).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
  expect(contentDigest(utf8(body))).toBe(of(head));
});

test('the sha-512 digests of RFC 9421 appendix B.2 match', () => {
  expect(judgeDigest(of(testRequest), utf8(testRequestBody))).toBe('match');
  expect(judgeDigest(of(testResponse), utf8(testResponseBody))).toBe('match');
});

test('one mismatch among several algorithms decides, wherever it stands', () => {
  const good = contentDigest(form);
  const bad = `sha-512=:${Buffer.alloc(64).toString('base64')}:`;
  expect(judgeDigest(`${good}, ${bad}`, form)).toBe('mismatch');
  expect(judgeDigest(`${bad}, ${good}`, form)).toBe('mismatch');
});

test('an algorithm that is not known here is passed over, and does not suffice', () => {
  expect(judgeDigest(`md5=:AAAA:, ${contentDigest(form)}`, form)).toBe('match');
  expect(judgeDigest('md5=:AAAA:', form)).toBe('unusable');
});

test.each(['', 'sha-256', 'sha-256="text"', 'sha-256=:%%:', 'sha-256=(:AA==:)', '::'])('%j is unusable', (field) => {
  expect(judgeDigest(field, form)).toBe('unusable');
});

test('a digest of another length is a mismatch', () => {
  expect(judgeDigest('sha-256=:AAAA:', form)).toBe('mismatch');
});
