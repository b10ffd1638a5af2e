import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/kernel/bytes.js';
import { readRequest, readResponse, verifyClaim } from '../../src/ocm/http-signature.js';
import { parseJwkSet, verificationKey } from '../../src/ocm/jwk-set.js';
import { signMessage, type RequestHead } from '../../src/ocm/message-signature.js';
import { signResponse } from '../../src/ocm/message-signing.js';
import * as appendixB from './ocm-appendix-b.js';
import { sharedSecret } from './rfc9421.js';
import { NOW, body, pair, plain, signed, withField } from './signing.js';

const ours = pair('a.example.org#http-1');
const good = signed(ours.signing);
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const reading =
  (head: RequestHead, bytes = body, now = NOW) =>
  () =>
    readRequest(head, bytes, { now });

const COVERED = ['@method', '@target-uri', 'content-digest', 'content-length'];

/** A message whose signature covers and says what it is told. */
function made(components: readonly string[], parameters: Record<string, string | number>, label = 'sig1'): RequestHead {
  const head = { ...plain, fields: good.fields };
  return {
    ...plain,
    fields: { ...head.fields, ...signMessage(head, { label, components, parameters, sign: () => utf8('x') }) },
  };
}
const usual = { created: NOW.getTime() / 1000, keyid: 'k', tag: 'ocm' };

test('OCM core appendix B: the printed request verifies with the printed JWK Set', async () => {
  const now = new Date(appendixB.created * 1000 + 1000);
  const claim = readRequest(appendixB.head, utf8(appendixB.body), { now });
  expect(claim).toMatchObject({ label: 'sig1', keyId: 'sender.example.org#key1', alg: 'ed25519' });
  await verifyClaim(appendixB.head, claim, verificationKey(parseJwkSet(appendixB.jwkSet), claim.keyId));
});

test('the label says nothing, the tag everything', () => {
  expect(readRequest(made(COVERED, usual, 'whatever'), body, { now: NOW }).label).toBe('whatever');
  expect(reading(made(COVERED, { ...usual, tag: 'other' }, 'ocm'))).toThrow('signature.missing');
});

describe('before any key is asked for', () => {
  test('no signature fields, and none with the tag, is unsigned', () => {
    expect(reading(plain)).toThrow('signature.missing');
    expect(reading(withField(good, 'signature-input', (value) => value.replace('tag="ocm"', 'tag="app"')))).toThrow(
      'signature.missing',
    );
  });

  test('two signatures with the tag are refused, whatever the second one is worth', () => {
    const twice = withField(
      withField(good, 'signature-input', (value) => `${value}, b=();tag="ocm"`),
      'signature',
      (value) => `${value}, b=:AAAA:`,
    );
    expect(reading(twice)).toThrow('signature.ambiguous');
  });

  test.each(COVERED)('a signature that does not cover %s is refused', (component) => {
    const components = COVERED.filter((name) => name !== component);
    expect(reading(made(components, usual))).toThrow('signature.incomplete');
  });

  test('a look-alike of a component is not that component', () => {
    const input = '("@method";key="x" "@target-uri" "content-digest" "content-length");created=1;keyid="k";tag="ocm"';
    expect(reading(withField(good, 'signature-input', () => `ocm=${input}`))).toThrow('signature.incomplete');
  });

  test.each(['created', 'keyid'])('a signature without %s is refused', (parameter) => {
    const { [parameter as 'created']: _, ...rest } = usual;
    expect(reading(made(COVERED, rest))).toThrow('signature.incomplete');
  });

  test.each([
    [-301, 'signature.stale'],
    [-300, undefined],
    [60, undefined],
    [61, 'signature.future'],
  ])('created %i s from now: %s', (seconds, code) => {
    const head = made(COVERED, { ...usual, created: usual.created + seconds });
    if (code) expect(reading(head)).toThrow(code);
    else expect(reading(head)).not.toThrow();
  });

  test('a signature that has expired is refused though it is fresh', () => {
    expect(reading(made(COVERED, { ...usual, expires: usual.created - 1 }))).toThrow('signature.expired');
    expect(reading(made(COVERED, { ...usual, expires: usual.created + 1 }))).not.toThrow();
  });

  test('another body, or another length, is refused', () => {
    expect(reading(good, utf8('{}'))).toThrow('signature.digest-mismatch');
    expect(reading(withField(good, 'content-length', () => '7'))).toThrow('signature.digest-mismatch');
  });

  test('with two digests both must match, the weaker one not excepted', () => {
    const wrong = Buffer.alloc(64).toString('base64');
    expect(reading(withField(good, 'content-digest', (value) => `${value}, sha-512=:${wrong}:`))).toThrow(
      'signature.digest-mismatch',
    );
    expect(reading(withField(good, 'content-digest', () => 'md5=:AAAA:'))).toThrow('signature.digest-unusable');
  });

  test.each(['ocm=((', 'ocm=1;tag="ocm"', 'ocm;tag="ocm"', '@'])('Signature-Input %j is malformed', (value) => {
    expect(reading(withField(good, 'signature-input', () => value))).toThrow('signature.malformed');
  });

  test('a signature field without the signature is malformed', () => {
    expect(reading(withField(good, 'signature', () => 'other=:AAAA:'))).toThrow('signature.malformed');
    expect(reading(withField(good, 'signature', () => undefined))).toThrow('signature.missing');
  });
});

describe('with the key', () => {
  const verified = (head: RequestHead, key = ours.verification) =>
    verifyClaim(head, readRequest(head, body, { now: NOW }), key);

  test('a request signed as we sign verifies', async () => {
    await verified(good);
    await expect(verified({ ...good, method: 'PUT' })).rejects.toThrow('signature.invalid');
    await expect(verified({ ...good, targetUri: `${good.targetUri}z` })).rejects.toThrow('signature.invalid');
    await expect(verified(good, pair('a.example.org#http-1').verification)).rejects.toThrow('signature.invalid');
  });

  test.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'PS512', 'EdDSA'] as const)('%s verifies', async (alg) => {
    const { signing, verification } = pair('a.example.org#x', alg);
    await verified(signed(signing), verification);
  });

  test('an alg parameter that is not of the published key is refused', async () => {
    const rsa = pair('a.example.org#http-1', 'RS256');
    await expect(verified(good, rsa.verification)).rejects.toThrow('signature.alg-mismatch');
    const unnamed = pair('a.example.org#x', 'ES512');
    const named = withField(signed(unnamed.signing), 'signature-input', (value) => `${value};alg="ecdsa-p384-sha384"`);
    await expect(verified(named, unnamed.verification)).rejects.toThrow('signature.alg-mismatch');
  });

  test('other signatures in the message are not looked at', async () => {
    const accompanied = withField(
      withField(good, 'signature-input', (value) => `via=("x-absent" "@query-param";name="q");created=1, ${value}`),
      'signature',
      (value) => `via=:AAAA:, ${value}`,
    );
    await verified(accompanied);
  });

  test('RFC 9421 B.2.5: a MAC over the right base is no OCM signature', async () => {
    const parameters = { ...usual, keyid: 'test-shared-secret', alg: 'hmac-sha256' };
    const head = { ...plain, fields: good.fields };
    const mac = signMessage(head, {
      label: 'ocm',
      components: COVERED,
      parameters,
      sign: (base) => createHmac('sha256', sharedSecret).update(base).digest(),
    });
    const macked = { ...plain, fields: { ...good.fields, ...mac } };
    const claim = readRequest(macked, body, { now: NOW });
    const secret = { kty: 'oct', kid: 'test-shared-secret', alg: 'HS256', k: sharedSecret.toString('base64url') };
    expect(() => verificationKey(parseJwkSet({ keys: [secret] }), claim.keyId)).toThrow('signature.key-unusable');
    await expect(verifyClaim(macked, claim, ours.verification)).rejects.toThrow('signature.alg-mismatch');
  });
});

describe('of old peers', () => {
  const old = withField(good, 'signature-input', (value) => value.replace(';tag="ocm"', ''));

  test('the label `ocm` without a tag counts only where it is asked for', () => {
    expect(reading(old)).toThrow('signature.missing');
    const other = withField(good, 'signature-input', (value) => value.replace('tag="ocm"', 'tag="app"'));
    expect(() => readRequest(other, body, { now: NOW, untagged: true })).toThrow('signature.missing');
    expect(readRequest(old, body, { now: NOW, untagged: true }).label).toBe('ocm');
  });

  test('a tag beats the label', () => {
    const both = withField(
      withField(old, 'signature-input', (value) => `${value}, new=${value.slice(4)};tag="ocm"`),
      'signature',
      (value) => `${value}, new=:AAAA:`,
    );
    expect(readRequest(both, body, { now: NOW, untagged: true }).label).toBe('new');
  });
});

describe('an answer', () => {
  const answer = utf8('{"keyPackages":[]}');
  const request = signed(ours.signing, NOW, { ...plain, method: 'GET' }, new Uint8Array());
  const theirs = pair('b.example.org#http-1');
  const head = { status: 200, fields: { 'content-type': 'application/json' }, request };
  const fields = { ...head.fields, ...signResponse(head, 'ocm', answer, theirs.signing, NOW) };
  const whole = { ...head, fields };

  test('verifies for the request that it answers', async () => {
    await verifyClaim(whole, readResponse(whole, answer, 'ocm', NOW), theirs.verification);
  });

  test('does not verify for another request, though that is alike', async () => {
    const other = { ...whole, request: signed(ours.signing, at(1), { ...plain, method: 'GET' }, new Uint8Array()) };
    const claim = readResponse(other, answer, 'ocm', NOW);
    await expect(verifyClaim(other, claim, theirs.verification)).rejects.toThrow('signature.invalid');
  });

  test('is refused with another status, another body, or late', async () => {
    const other = { ...whole, status: 404 };
    await expect(verifyClaim(other, readResponse(other, answer, 'ocm', NOW), theirs.verification)).rejects.toThrow(
      'signature.invalid',
    );
    expect(() => readResponse(whole, utf8('{}'), 'ocm', NOW)).toThrow('signature.digest-mismatch');
    expect(() => readResponse(whole, answer, 'ocm', at(301))).toThrow('signature.stale');
  });

  test('must cover the request', () => {
    const signature = signMessage(whole, {
      label: 'ocm',
      components: ['@status', 'content-digest', 'content-length'],
      parameters: usual,
      sign: () => utf8('x'),
    });
    const bare = { ...whole, fields: { ...whole.fields, ...signature } };
    expect(() => readResponse(bare, answer, 'ocm', NOW)).toThrow('signature.incomplete');
  });
});
