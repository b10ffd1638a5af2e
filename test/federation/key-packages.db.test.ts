import { expect, test } from 'vitest';
import { host, ocmAddress } from '../../src/kernel/address.js';
import { KeyPackageClient } from '../../src/mls/key-package.client.js';
import { World } from '../support/world.js';

const BOB = ocmAddress('bob@b.test');

test('a KeyPackage comes in a signed answer to a signed question, another one each time', async () => {
  await using world = await World.of('a.test', 'b.test');
  await world.users(BOB);
  const client = world.server('a.test').get(KeyPackageClient);
  const first = await client.fetch(BOB);
  world.clock.advanceSeconds(1);
  expect(await client.fetch(BOB)).not.toEqual(first);

  const asked = world.network.sent({ from: host('a.test'), to: host('b.test'), what: '/ocm/mls-key-packages' });
  expect(asked).toHaveLength(2);
  for (const { request, answer } of asked) {
    expect(request.headers).toMatchObject({ 'signature-input': expect.stringContaining('tag="ocm"') });
    expect(answer?.headers).toMatchObject({ 'signature-input': expect.stringContaining('"@status"') });
  }
});

test('a question that was not signed, or that is heard again, gets no KeyPackage', async () => {
  await using world = await World.of('a.test', 'b.test');
  await world.users(BOB);
  const client = world.server('a.test').get(KeyPackageClient);
  world.wire('a.test', 'b.test').duplicateNext('/ocm/mls-key-packages');
  await client.fetch(BOB);
  const [{ request } = expect.fail()] = world.network.sent({ what: '/ocm/mls-key-packages' });
  const outsider = world.network.networkOf(host('nobody.test'), () => true);
  const again = await outsider.fetch(request);
  const unsigned = await outsider.fetch({ ...request, headers: { host: 'b.test' } });
  expect([again.status, unsigned.status]).toEqual([401, 401]);
  expect(Buffer.from(again.body).toString()).toContain('signature.replayed');
  expect(Buffer.from(unsigned.body).toString()).toContain('signature.missing');
});
