import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const SNIPPETS = readdirSync('examples/proxies');

test.each(SNIPPETS)('%s sends all to Covey that other servers ask of a domain', (name) => {
  const text = readFileSync(`examples/proxies/${name}`, 'utf8');
  for (const path of ['/ocm/', '/.well-known/ocm', '/.well-known/jwks.json', '/.well-known/oauth-authorization-server'])
    expect(text).toContain(path);
  expect(text).not.toMatch(/\/(?:api|metrics|scim|healthz|readyz)\b/);
});

test('the handbook names every snippet', () => {
  const handbook = readFileSync('docs/operations.md', 'utf8');
  for (const name of SNIPPETS) expect(handbook).toContain(`(../examples/proxies/${name})`);
});
