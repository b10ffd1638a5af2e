import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches, providerKey, providerPattern } from '../../src/kernel/provider-pattern.js';

const allows = (pattern: string, host: string) => matches(providerPattern(pattern), 'allow', host);
const denies = (pattern: string, host: string) => matches(providerPattern(pattern), 'deny', host);

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/).filter((text) => !text.startsWith('xn--'));
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const port = fc.integer({ min: 1, max: 65_535 }).filter((number) => number !== 443);
/** Each letter in the case that a bit says. */
const cased = (text: string, bits: readonly boolean[]) =>
  text.replaceAll(/./g, (letter, at: number) => (bits[at % bits.length] ? letter.toUpperCase() : letter));
const bits = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });

describe('a pattern', () => {
  test.each([
    ['cloud.example.org', 'cloud.example.org', true],
    ['Cloud.Example.ORG.', 'cloud.example.org', true],
    ['cloud.example.org:443', 'cloud.example.org', true],
    ['cloud.example.org', 'cloud.example.org:443', true],
    ['cloud.example.org', 'cloud.example.org:8443', false],
    ['cloud.example.org:8443', 'cloud.example.org:8443', true],
    ['cloud.example.org:8443', 'cloud.example.org', false],
    ['cloud.example.org:*', 'cloud.example.org:8443', true],
    ['*.example.org', 'cloud.example.org', true],
    ['*.example.org', 'a.b.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', 'badexample.org', false],
    ['*.example.org', 'cloud.example.org.evil.test', false],
    ['*', 'any.test:99', true],
    ['*.bücher.example', 'a.xn--bcher-kva.example', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['[2001:DB8:0::1]', '[2001:db8::1]', true],
    ['[2001:db8::1]:8443', '[2001:db8::1]:8443', true],
  ])('%s allows %s: %s', (pattern, host, expected) => expect(allows(pattern, host)).toBe(expected));

  test.each([
    ['cloud.example.org', 'cloud.example.org:8443', true],
    ['*.example.org', 'cloud.example.org:1', true],
    ['cloud.example.org:8443', 'cloud.example.org', false],
    // Other ways to write the same machine.
    ['192.0.2.1', '3221225985', true],
    ['192.0.2.1', '0xc0.0.2.1', true],
    ['192.0.2.1', '[::ffff:192.0.2.1]', true],
    ['192.0.2.1', '192.0.2.1:8080', true],
    ['*.2.1', '192.0.2.1', false],
  ])('%s denies %s: %s', (pattern, host, expected) => {
    if (pattern === '*.2.1') expect(() => providerPattern(pattern)).toThrow('trust.pattern-malformed');
    else expect(denies(pattern, host)).toBe(expected);
  });

  test.each([
    '',
    ' ',
    '.',
    '*.',
    '**',
    '*.*.example.org',
    'ex*mple.org',
    'cloud.*',
    'https://cloud.example.org',
    'a.test/x',
    'user@a.test',
    'a.test:0x1',
    'a.test:70000',
    'a test',
    'a..test',
    '-a.test',
    '*.192.0.2.1',
    '*.[::1]',
    'a.test:1:*',
    'a.test\n',
    `${'a'.repeat(300)}.test`,
  ])('%j is none', (text) => expect(() => providerPattern(text)).toThrow('trust.pattern-malformed'));

  test('is read again as it is shown', () => {
    fc.assert(
      fc.property(fc.boolean(), name, fc.option(port), bits, (below, domain, number, upper) => {
        const text = `${below ? '*.' : ''}${cased(domain, upper)}${number === null ? '' : `:${number}`}`;
        const pattern = providerPattern(text);
        expect(providerPattern(pattern.text)).toEqual(pattern);
      }),
    );
  });

  test('means the same whatever the case, a dot at the end, and the usual port', () => {
    fc.assert(
      fc.property(name, label, bits, (domain, sub, upper) => {
        const host = `${sub}.${domain}`;
        for (const effect of ['allow', 'deny'] as const) {
          for (const text of [host, cased(host, upper), `${host}.`, `${host}:443`, `*.${cased(domain, upper)}`]) {
            expect(matches(providerPattern(text), effect, host)).toBe(true);
            expect(matches(providerPattern(text), effect, `not${host}x`)).toBe(false);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('that denies means at least what it would allow', () => {
    fc.assert(
      fc.property(name, name, fc.option(port), fc.option(port), (one, other, portOfOne, portOfOther) => {
        const withPort = (text: string, number: number | null) => (number === null ? text : `${text}:${number}`);
        for (const text of [one, `*.${one}`, other]) {
          const pattern = providerPattern(withPort(text, portOfOne));
          for (const host of [one, other, `a.${one}`].map((each) => withPort(each, portOfOther))) {
            if (matches(pattern, 'allow', host)) expect(matches(pattern, 'deny', host)).toBe(true);
          }
        }
      }),
    );
  });
});

test('a decision about a host is found under every way to write it, and under no other host', () => {
  expect(providerKey('a.test:443')).toBe(providerKey('A.TEST'));
  expect(providerKey('a.test:8443')).not.toBe(providerKey('a.test'));
  expect(providerKey('3221225985')).toBe('192.0.2.1');
  // Not to be reached by any URL, and kept apart all the same.
  expect(providerKey('xn--zzzzzz9999.test:443')).toBe('xn--zzzzzz9999.test');
});
