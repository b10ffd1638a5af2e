import { expect, test } from 'vitest';
import { handedOver } from '../../src/upstream/handed-over.js';

const PUBLIC = 'https://b.test/cloud/index.php';
const TOLD = [
  'Covey-Method',
  'POST',
  'Covey-Target',
  '/cloud/index.php/ocm/shares?a=%20b',
  'Covey-Field-Host',
  'b.test',
];
const told = (...more: string[]) => handedOver([...TOLD, ...more], 2, PUBLIC);
const without = (name: string) =>
  handedOver(
    TOLD.filter((_, at) => TOLD[at - (at % 2)] !== name),
    2,
    PUBLIC,
  );
const targeted = (target: string, url = PUBLIC) =>
  handedOver(['Covey-Method', 'GET', 'Covey-Target', target, 'Covey-Field-Host', 'b.test'], 0, url);

test('the request is as it was made, below our public URL, and what is said of the handing over is not in it', () => {
  const fields = ['Host', 'covey:80', 'Authorization', 'Bearer key', 'Content-Length', '2', 'X-Mine', '1'];
  const original = ['Covey-Field-Signature', 'ocm=:AA:', 'Covey-Field-Content-Length', '2', 'covey-field-X-Two', 'a'];
  expect(told(...fields, ...original, 'Covey-Field-X-Two', 'b')).toEqual({
    method: 'POST',
    url: '/ocm/shares?a=%20b',
    fields: { host: 'b.test', signature: 'ocm=:AA:', 'content-length': '2', 'x-two': ['a', 'b'] },
  });
  expect(targeted('/ocm/x', 'https://b.test').url).toBe('/ocm/x');
});

test('fields of the hop go, with those that Connection names, but neither Host nor the signature', () => {
  const hop = ['Connection', 'close, X-Mine, Host, Signature', 'X-Mine', '1', 'Keep-Alive', '1', 'TE', 'trailers'];
  const coded = ['Transfer-Encoding', 'chunked', 'Upgrade', 'h2c', 'Expect', '100-continue', 'Signature', 'ocm=:AA:'];
  const original = [...hop, ...coded].map((text, at) => (at % 2 === 0 ? `Covey-Field-${text}` : text));
  expect(told(...original).fields).toEqual({ host: 'b.test', signature: 'ocm=:AA:' });
});

test('what proxies say of where a request came from does not choose its host', () => {
  const proxied = ['Covey-Field-X-Forwarded-Host', 'evil.test', 'Covey-Field-Forwarded', 'host=evil.test'];
  expect(told(...proxied).fields).toEqual({ host: 'b.test' });
});

test.each(['Host', 'Content-Type', 'Content-Length', 'Authorization'])('%s is there once', (name) => {
  const value = name === 'Content-Length' ? '2' : 'b.test';
  const twice = [`Covey-Field-${name}`, value, `covey-field-${name}`, value];
  expect(() => told(...twice)).toThrow('handover.malformed');
});

test('without or with two of what makes a request there is none', () => {
  for (const name of ['Covey-Method', 'Covey-Target']) {
    expect(() => without(name)).toThrow('handover.malformed');
    expect(() => told(name, 'GET')).toThrow('handover.malformed');
  }
});

test('a body that is longer or shorter than it was is refused', () => {
  expect(() => told('Covey-Field-Content-Length', '3')).toThrow('handover.malformed');
  expect(() => told('Covey-Field-Content-Length', '2, 2')).toThrow('handover.malformed');
});

test.each(['evil.test', 'b.test:8443', 'b.test@evil.test', 'x.b.test', ''])('the host %j is not ours', (name) => {
  const fields = [...TOLD.slice(0, 4), 'Covey-Field-Host', name];
  expect(() => handedOver(fields, 2, PUBLIC)).toThrow('request.misdirected');
});

test('without a host it was made to nobody', () => {
  expect(() => without('Covey-Field-Host')).toThrow('request.misdirected');
});

test.each([
  '/ocm/shares',
  '/cloud/index.php/api/v1/users',
  '/cloud/index.php/metrics',
  '/cloud/index.php/ocm/../api/v1/users',
  '/cloud/index.php/ocm/%2e%2e/metrics',
  '/cloud/index.php/ocm//metrics',
  '/cloud/index.php/ocm/x#y',
  'https://b.test/cloud/index.php/ocm/shares',
  '/cloud/index.php/ocm',
])('%s is nothing that is handed over', (target) => expect(() => targeted(target)).toThrow('handover.malformed'));
