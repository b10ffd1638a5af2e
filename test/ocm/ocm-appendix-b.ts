import type { RequestHead } from '../../src/ocm/message-signature.js';

/** Open Cloud Mesh core -07, appendix B: the published key, the signed request, its body and its signature base. */
export const jwkSet = {
  keys: [
    {
      kty: 'OKP',
      crv: 'Ed25519',
      alg: 'Ed25519',
      kid: 'sender.example.org#key1',
      x: 'AzeStPAdQ-vbi6bJVxcQjBPF2I7fDZdfDZ_XZ3J4Azs',
    },
  ],
};

export const created = 1785060500;

export const body = `{
  "shareWith": "marie@receiver.example.org",
  "name": "spec.yaml",
  "providerId": "7c084226-d9a1-11e6-bf26-cec0c932ce01",
  "owner": "einstein@sender.example.org",
  "sender": "einstein@sender.example.org",
  "ownerDisplayName": "Albert Einstein",
  "senderDisplayName": "Albert Einstein",
  "shareType": "user",
  "resourceType": "file",
  "protocol": {
    "name": "multi",
    "webdav": {
      "uri": "spec.yaml",
      "sharedSecret": "hfiuhworzwnur98d3wjiwhr",
      "permissions": ["read", "write"]
    }
  }
}`;

const parameters =
  '("@method" "@target-uri" "content-digest" "content-length");created=1785060500;keyid="sender.example.org#key1";alg="ed25519";tag="ocm"';

export const base = `"@method": POST
"@target-uri": https://receiver.example.org/ocm/shares
"content-digest": sha-256=:/Uz47cfD1HOdMTIqcWjd84iMLQ4gVJdC7ZFACf1ViqU=:
"content-length": 521
"@signature-params": ${parameters}`;

export const head: RequestHead = {
  method: 'POST',
  targetUri: 'https://receiver.example.org/ocm/shares',
  fields: {
    host: 'receiver.example.org',
    'content-type': 'application/json',
    'content-digest': 'sha-256=:/Uz47cfD1HOdMTIqcWjd84iMLQ4gVJdC7ZFACf1ViqU=:',
    'content-length': '521',
    'signature-input': `sig1=${parameters}`,
    signature: 'sig1=:Epax4XFqvbrrDzQUAaNl+uECasEKbArgz8AlEkXspvYX2fSkQFlCkaXImZnYU898C2t0IdmbFhjR8bkN0hZgCg==:',
  },
};
