import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OUR_HOST } from './boot.js';
import { Probe, refused } from './probe.js';

let probe: Probe;
beforeAll(async () => {
  probe = await Probe.start();
});
afterAll(() => probe.stop());
beforeEach(() => probe.nextPeer());

describe('a signature counts once', () => {
  const once = () => {
    const body = JSON.stringify(probe.notification());
    const headers = probe.signed(body);
    return (on = probe.app) => probe.deliver('notifications', 'POST', headers, body, on);
  };

  test('shown again it is refused, until it is stale anyway', async () => {
    const show = once();
    expect(await show()).toMatchObject({ status: 201 });
    expect(await show()).toEqual(refused('signature.replayed'));
    probe.clock.advanceSeconds(300);
    expect(await show()).toEqual(refused('signature.replayed'));
    probe.clock.advanceSeconds(1);
    expect(await show()).toEqual(refused('signature.stale'));
  });

  test('of three at the same time one passes', async () => {
    const show = once();
    const statuses = (await Promise.all([show(), show(), show()])).map(({ status }) => status);
    expect(statuses.sort((a, b) => a - b)).toEqual([201, 401, 401]);
  });

  test('one that was refused is not taken for seen', async () => {
    const { published } = probe.peer;
    probe.peer.published = [];
    const show = once();
    expect(await show()).toEqual(refused('signature.key-unknown'));
    probe.peer.published = published;
    probe.clock.advanceSeconds(61);
    expect(await show()).toMatchObject({ status: 201 });
  });

  test('another replica on the same database knows it too', async () => {
    const show = once();
    expect(await show()).toMatchObject({ status: 201 });
    await probe.withReplica({}, async (replica) => {
      expect(await show(replica)).toEqual(refused('signature.replayed'));
    });
  });
});

describe('the public host', () => {
  test('a request for another host is misdirected', async () => {
    expect(await probe.post({ host: 'other.test' })).toEqual(refused('request.misdirected', 421));
    expect(await probe.post({ host: `${OUR_HOST}:8443` })).toEqual(refused('request.misdirected', 421));
    expect(await probe.post({ host: `${OUR_HOST}:443` })).toMatchObject({ status: 201 });
  });

  test('forwarding headers of whom we do not trust change nothing', async () => {
    const lying = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' };
    expect(await probe.post(lying)).toMatchObject({ status: 201 });
    expect(await probe.post({ host: '10.0.0.5:8400', 'x-forwarded-host': OUR_HOST })).toEqual(
      refused('request.misdirected', 421),
    );
  });

  test('forwarding headers of a configured proxy count', async () => {
    await probe.withReplica({ COVEY_TRUSTED_PROXIES: '127.0.0.1' }, async (replica) => {
      const forwarded = (changes: Record<string, string>) => probe.post(changes, undefined, undefined, replica);
      const behind = { host: '10.0.0.5:8400', 'x-forwarded-host': OUR_HOST };
      expect(await forwarded(behind)).toMatchObject({ status: 201 });
      probe.clock.advanceSeconds(1);
      expect(await forwarded({ 'x-forwarded-host': 'evil.test' })).toEqual(refused('request.misdirected', 421));
    });
  });
});

describe('old forms', () => {
  /** A notification of OCM-MLS -01. */
  const flat = () => {
    const { notification } = probe.notification() as { notification: { federation: object } };
    return { notificationType: 'MLS_COMMIT', notification: notification.federation };
  };
  const untagged = (content: object) => {
    const input = probe.signed(JSON.stringify(content))['signature-input']!;
    return { 'signature-input': input.replace(';tag="ocm"', '') };
  };

  test('are refused', async () => {
    expect(await probe.post({}, flat())).toMatchObject({ status: 400 });
    probe.clock.advanceSeconds(1);
    expect(await probe.post(untagged(flat()), flat())).toEqual(refused('signature.missing'));
  });

  test('are understood of the peers that are configured, and of no others', async () => {
    const { host } = probe.peer;
    await probe.withReplica({ COVEY_COMPAT: host }, async (replica) => {
      expect(await probe.post({}, flat(), undefined, replica)).toEqual({
        status: 201,
        body: { from: host, body: probe.notification() },
      });
      probe.clock.advanceSeconds(1);
      // Without its tag the signature is another one, and does not hold; but it is found.
      expect(await probe.post(untagged(flat()), flat(), undefined, replica)).toEqual(refused('signature.invalid'));
      probe.nextPeer();
      expect(await probe.post({}, flat(), undefined, replica)).toMatchObject({ status: 400 });
    });
  });
});
