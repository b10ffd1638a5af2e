import { createHmac, createPublicKey, sign as signWith } from 'node:crypto';
import { expect, test } from 'vitest';
import { fromUtf8, sameBytes, utf8 } from '../../src/kernel/bytes.js';
import { signMessage, verifyMessage, type MessageHead } from '../../src/ocm/message-signature.js';
import { verifyBytes } from '../../src/ocm/signature-algorithm.js';
import * as appendixB from './ocm-appendix-b.js';
import { ed25519, p256, sharedSecret, testRequest, testResponse, withSignature } from './rfc9421.js';

/** What the verifier was asked to judge. */
async function baseOf(head: MessageHead, label: string, alg?: string): Promise<string> {
  let seen = '';
  await verifyMessage(head, { label, alg, verify: (base) => ((seen = fromUtf8(base)), true) });
  return seen;
}

const b24 = withSignature(
  testResponse,
  'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
  'sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:',
);

test('RFC 9421 B.2.4: the base is as printed and the ECDSA signature verifies', async () => {
  expect(await baseOf(b24, 'sig-b24')).toBe(
    [
      '"@status": 200',
      '"content-type": application/json',
      '"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
      '"content-length": 23',
      '"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    ].join('\n'),
  );
  const verify = (base: Uint8Array, signature: Uint8Array) => verifyBytes('ES256', p256, base, signature);
  await verifyMessage(b24, { label: 'sig-b24', alg: undefined, verify });
  await expect(verifyMessage({ ...b24, status: 201 }, { label: 'sig-b24', alg: undefined, verify })).rejects.toThrow(
    'signature.invalid',
  );
});

const b25 = {
  label: 'sig-b25',
  components: ['date', '@authority', 'content-type'],
  parameters: { created: 1618884473, keyid: 'test-shared-secret' },
};

test('RFC 9421 B.2.5: the base is as printed, and so is the MAC over it', async () => {
  let base = '';
  const made = signMessage(testRequest, {
    ...b25,
    sign: (bytes) => ((base = fromUtf8(bytes)), createHmac('sha256', sharedSecret).update(bytes).digest()),
  });
  expect(base).toBe(
    [
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@authority": example.com',
      '"content-type": application/json',
      '"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    ].join('\n'),
  );
  expect(made).toEqual({
    'signature-input': 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    signature: 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  });
  const mac = (bytes: Uint8Array, signature: Uint8Array) =>
    sameBytes(createHmac('sha256', sharedSecret).update(bytes).digest(), signature);
  const head = withSignature(testRequest, made['signature-input'], made.signature);
  await verifyMessage(head, { label: 'sig-b25', alg: undefined, verify: mac });
});

test('RFC 9421 B.2.6: the base, the signature and its verification are as printed', async () => {
  const made = signMessage(testRequest, {
    label: 'sig-b26',
    components: ['date', '@method', '@path', '@authority', 'content-type', 'content-length'],
    parameters: { created: 1618884473, keyid: 'test-key-ed25519' },
    sign: (base) => signWith(null, base, ed25519),
  });
  expect(made).toEqual({
    'signature-input':
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    signature: 'sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
  });
  const head = withSignature(testRequest, made['signature-input'], made.signature);
  expect(await baseOf(head, 'sig-b26')).toBe(
    [
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@method": POST',
      '"@path": /foo',
      '"@authority": example.com',
      '"content-type": application/json',
      '"content-length": 18',
      '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    ].join('\n'),
  );
  const verify = (base: Uint8Array, signature: Uint8Array) =>
    verifyBytes('Ed25519', createPublicKey(ed25519), base, signature);
  await verifyMessage(head, { label: 'sig-b26', alg: undefined, verify });
});

test('OCM core appendix B: the base is byte for byte as printed', async () => {
  expect(await baseOf(appendixB.head, 'sig1', 'ed25519')).toBe(appendixB.base);
});

test('a response can cover the signature of its request', async () => {
  const request = withSignature(testRequest, 'a=("@method");created=1', 'a=:AAAA:, b=:BBBB:');
  const head = {
    status: 204,
    fields: {
      'signature-input': 'x=("@status" "@method";req "signature";key="a";req);created=2',
      signature: 'x=:AAAA:',
    },
    request,
  };
  expect(await baseOf(head, 'x')).toBe(
    [
      '"@status": 204',
      '"@method";req: POST',
      '"signature";key="a";req: :AAAA:',
      '"@signature-params": ("@status" "@method";req "signature";key="a";req);created=2',
    ].join('\n'),
  );
});

test.each([
  ['a component twice', 'a=("@method" "@method");created=1', 'a=:AAAA:'],
  ['a component that the message lacks', 'a=("x-absent");created=1', 'a=:AAAA:'],
  ['a component that is not defined', 'a=("@planet");created=1', 'a=:AAAA:'],
  ['a component of a request that there is none of', 'a=("@method";req);created=1', 'a=:AAAA:'],
  ['a label twice', 'a=("@method");created=1, a=("@path");created=1', 'a=:AAAA:'],
  ['a parameter twice', 'a=("@method");created=1;created=2', 'a=:AAAA:'],
  ['an upper case field name', 'a=("Date");created=1', 'a=:AAAA:'],
  ['a signature without its input', 'a=("@method");created=1', 'a=:AAAA:, b=:AAAA:'],
  ['text for a signature', 'a=("@method");created=1', 'a="AAAA"'],
])('%s is malformed', async (_, input, signature) => {
  const head = withSignature(testRequest, input, signature);
  await expect(baseOf(head, 'a')).rejects.toThrow('signature.malformed');
});

test('a field that occurs twice is one list in the base', async () => {
  const fields = { 'x-list': ['a', 'b'], 'signature-input': 'a=("x-list");created=1', signature: 'a=:AAAA:' };
  expect(await baseOf({ method: 'GET', targetUri: 'https://example.com/', fields }, 'a')).toContain('"x-list": a, b\n');
});

test('a base has no line end after the last line', () => {
  let last = 0;
  const sign = (base: Uint8Array) => ((last = base.at(-1)!), utf8('x'));
  signMessage(testRequest, { ...b25, sign });
  expect(String.fromCharCode(last)).toBe('"');
});
