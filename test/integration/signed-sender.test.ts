import { describe, expect, test } from 'vitest';
import type { Pairing } from '../../src/integration/protocol-server.js';
import type { RequestHead } from '../../src/ocm/message-signature.js';
import { pair } from '../ocm/signing.js';
import { NOW, now } from './issuer.js';
import { type Sender, SHARE, world } from './sender.js';

const COMPONENTS = ['@method', '@target-uri', 'content-digest', 'content-length'];
const PARAMETERS = { created: now, keyid: 'a.test#http', tag: 'ocm' };

describe('the order of the checks', () => {
  test('I-013 the sender is read first, its domain behind the last @', async () => {
    const { sender, server } = world();
    const unsigned = { change: (head: RequestHead) => ({ ...head, fields: { 'content-type': 'application/json' } }) };
    for (const body of ['{', '[]', '{}', { ...SHARE, sender: 'nobody' }, { ...SHARE, sender: 7 }]) {
      expect(await sender.send(server, { body, ...unsigned })).toMatchObject({
        status: 400,
        json: { error: 'body.malformed' },
      });
    }
    const odd = { ...SHARE, sender: 'alice@b.test@a.test' };
    expect((await sender.send(server, { body: odd })).status).toBe(201);
    expect(await sender.send(server, { body: { ...SHARE, sender: 'alice@a.test@b.test' } })).toMatchObject({
      json: { error: 'provision.unpaired' },
    });
  });

  test.each<[string, readonly Pairing[]]>([
    ['nobody', []],
    ['another server', [{ domain: 'b.test', modes: ['provisioned'] }]],
    ['the sender for tokens alone', [{ domain: 'a.test', modes: ['self-contained', 'introspected'] }]],
  ])('I-014 who is paired with %s refuses with 401 before any key is fetched', async (_, pairings) => {
    const { sender, server, found } = world({ pairings });
    expect(await sender.send(server)).toMatchObject({ status: 401, json: { error: 'provision.unpaired' } });
    expect([sender.asked, await found()]).toEqual([[], undefined]);
  });

  const strangers = pair('a.test#http');
  test.each<[string, string, Parameters<Sender['request']>[0]]>([
    [
      'is not signed',
      'signature.missing',
      { change: (head) => ({ ...head, fields: { ...head.fields, signature: undefined } }) },
    ],
    ['is signed by another key of that name', 'signature.invalid', { by: strangers }],
    ['is signed by an unknown key', 'signature.key-unknown', { by: pair('a.test#other') }],
    ['is signed by another domain', 'signature.wrong-domain', { by: pair('b.test#http') }],
    ['has a key id without a domain', 'signature.wrong-domain', { by: pair('http') }],
    ['is too old', 'signature.stale', { at: new Date(NOW.getTime() - 301_000) }],
    ['is from the future', 'signature.future', { at: new Date(NOW.getTime() + 61_000) }],
    ['was signed for another URI', 'signature.invalid', { signedUri: 'https://elsewhere.test/ocm-ip/shares' }],
    [
      'has another digest',
      'signature.digest-mismatch',
      { change: (head) => ({ ...head, fields: { ...head.fields, 'content-digest': `sha-256=:${'A'.repeat(43)}=:` } }) },
    ],
    [
      'has two OCM signatures',
      'signature.ambiguous',
      {
        change: (head) => ({
          ...head,
          fields: {
            ...head.fields,
            'signature-input': `${String(head.fields['signature-input'])}, b=();tag="ocm"`,
            signature: `${String(head.fields['signature'])}, b=:AAAA:`,
          },
        }),
      },
    ],
  ])('I-015 what %s is refused with 401: %s', async (_, error, sent) => {
    const { sender, server, found } = world();
    expect(await sender.send(server, sent)).toMatchObject({ status: 401, json: { error } });
    expect(await found()).toBeUndefined();
  });

  test.each(COMPONENTS)('I-015 a signature that does not cover %s is refused', async (left) => {
    const { sender, server } = world();
    const components = COMPONENTS.filter((component) => component !== left);
    const answer = await sender.send(server, { change: sender.resigned(components, PARAMETERS) });
    expect(answer).toMatchObject({ status: 401, json: { error: 'signature.incomplete' } });
  });

  test('I-015 the profile of OCM core is enough: known by its tag, without date, under any label', async () => {
    const { sender, server } = world();
    expect((await sender.send(server, { change: sender.resigned(COMPONENTS, PARAMETERS) })).status).toBe(201);
    const untagged = sender.resigned(COMPONENTS, { created: now, keyid: 'a.test#http' }, 'ocm');
    expect((await sender.send(server, { change: untagged })).json).toEqual({ error: 'signature.missing' });
  });

  test('I-024 keys that cannot be read now are a reason to come again', async () => {
    const { sender, server } = world({ read: () => Promise.reject(new Error('down')) });
    const answer = await sender.send(server);
    expect([answer.status, answer.json, answer.headers['retry-after']]).toEqual([
      503,
      { error: 'signature.key-unavailable' },
      '10',
    ]);
  });
});

test('I-016 the URI that counts is the configured one, whatever Host and a proxy say', async () => {
  const { sender, server } = world({ mountedAt: '/internal/' });
  const forwarded = {
    host: '10.0.0.7',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.test',
  };
  const at = (signedUri: string) =>
    server.integrate({ ...sender.request({ fields: forwarded, signedUri }), url: '/internal/shares' });
  expect((await at('https://files.test/ocm-ip/shares')).status).toBe(201);
  for (const uri of [
    'https://evil.test/ocm-ip/shares',
    'http://evil.test/internal/shares',
    'https://10.0.0.7/internal/shares',
  ]) {
    expect(JSON.parse((await at(uri)).body)).toEqual({ error: 'signature.invalid' });
  }
});
