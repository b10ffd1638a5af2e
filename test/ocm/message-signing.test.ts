import { expect, test } from 'vitest';
import { contentDigest } from '../../src/ocm/content-digest.js';
import { signRequest, signResponse } from '../../src/ocm/message-signing.js';
import { NOW, body, pair, plain, signed } from './signing.js';

const key = pair('a.example.org#http-1').signing;
const created = NOW.getTime() / 1000;

test('what we send carries the label, the tag, alg, keyid and created, and covers four components and date', () => {
  const { signature, ...fields } = signRequest(plain, body, key, NOW);
  expect(fields).toEqual({
    'content-digest': contentDigest(body),
    'content-length': String(body.length),
    date: 'Mon, 04 Jan 2027 09:00:00 GMT',
    'signature-input': `ocm=("@method" "@target-uri" "content-digest" "content-length" "date");created=${created};keyid="a.example.org#http-1";alg="ed25519";tag="ocm"`,
  });
  expect(signature).toMatch(/^ocm=:[A-Za-z0-9+/]{86}==:$/);
});

test('a GET without a body covers the length 0 and the digest of nothing', () => {
  expect(signRequest({ ...plain, method: 'GET' }, new Uint8Array(), key, NOW)).toMatchObject({
    'content-digest': 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    'content-length': '0',
  });
});

test('alg is left out when the HTTP registry has no name for the algorithm', () => {
  const fields = signRequest(plain, body, pair('a.example.org#x', 'PS256').signing, NOW);
  expect(fields['signature-input']).not.toContain('alg=');
});

test('an answer covers its status and body and the signature of its request', () => {
  const head = { status: 200, fields: {}, request: signed(key) };
  const fields = signResponse(head, 'ocm', body, key, NOW);
  expect(fields['signature-input']).toBe(
    `ocm=("@status" "content-digest" "content-length" "@method";req "@target-uri";req "signature";key="ocm";req);created=${created};keyid="a.example.org#http-1";alg="ed25519";tag="ocm"`,
  );
  expect(Object.keys(fields).sort()).toEqual(['content-digest', 'content-length', 'signature', 'signature-input']);
});
