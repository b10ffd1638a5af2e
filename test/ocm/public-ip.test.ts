import { expect, test } from 'vitest';
import { isAddress, isListed, isLocalName, mayConnect } from '../../src/ocm/public-ip.js';

test.each([
  '93.184.216.34',
  '8.8.8.8',
  '[2606:2800:220:1:248:1893:25c8:1946]',
  '2a00:1450:4001:80b::200e',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
])('%s may be connected to', (address) => {
  expect(mayConnect(address, 'public-only')).toBe(true);
  expect(mayConnect(address, 'loopback-development')).toBe(false);
});

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '[::ffff:7f00:1]',
  '64:ff9b::7f00:1',
  '64:ff9b::a00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '4000::1',
  'example.org',
  '',
])('%s may not be connected to', (address) => {
  expect(mayConnect(address, 'public-only')).toBe(false);
});

test.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1'])('%s is this machine', (address) => {
  expect(mayConnect(address, 'loopback-development')).toBe(true);
});

test('a development server does not reach into the local network', () => {
  for (const address of ['10.0.0.1', '192.168.0.1', '169.254.169.254', '0.0.0.0']) {
    expect(mayConnect(address, 'loopback-development')).toBe(false);
  }
});

test.each(['http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'http://127.1/', 'http://[::1]/'])(
  'the host of %s is an address once the URL is read',
  (url) => {
    const { hostname } = new URL(url);
    expect(isAddress(hostname)).toBe(true);
    expect(mayConnect(hostname, 'public-only')).toBe(false);
  },
);

test('local names', () => {
  expect(['localhost', 'a.localhost', 'A.LOCALHOST.', 'localhost.'].map(isLocalName)).toEqual([true, true, true, true]);
  expect(['localhost.example.org', 'notlocalhost', 'local'].map(isLocalName)).toEqual([false, false, false]);
});

test.each([
  ['10.1.2.3', 'efss.internal', true],
  ['fd00::7', 'efss.internal', true],
  ['100.64.0.1', 'EFSS.internal.', true],
  ['10.1.2.3', 'other.internal', false],
  ['192.168.1.5', 'other.internal', true],
  ['::ffff:192.168.1.5', 'other.internal', true],
  ['192.168.2.5', 'other.internal', false],
  ['127.0.0.1', 'efss.internal', false],
  ['127.0.0.9', 'x', true],
  ['169.254.169.254', 'efss.internal', false],
  ['fe80::1', 'efss.internal', false],
  ['0.0.0.0', 'efss.internal', false],
  ['224.0.0.1', 'efss.internal', false],
  ['nonsense', 'efss.internal', false],
])('whether %s is listed when it is reached as %s: %s', (address, hostname, expected) => {
  const targets = ['efss.internal', '192.168.1.0/24', '127.0.0.0/8', '127.0.0.9/32', '169.254.0.0/16', '0.0.0.0/0'];
  const without = targets.filter((target) => target !== '0.0.0.0/0' || hostname === 'x');
  expect(isListed(address, hostname, without)).toBe(expected);
});
