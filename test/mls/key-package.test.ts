import {
  encodeMlsMessage,
  type Capabilities,
  type Credential,
  type Extension,
  type KeyPackage,
  type Lifetime,
} from 'ts-mls';
import { encodeKeyPackage, signKeyPackage } from 'ts-mls/keyPackage.js';
import { signLeafNodeKeyPackage } from 'ts-mls/leafNode.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { ocmAddress } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import type { FaultCode } from '../../src/kernel/fault.js';
import { checkKeyPackage, readKeyPackage, writeKeyPackage } from '../../src/mls/key-package.js';
import {
  LAST_RESORT_EXTENSION,
  makeKeyPackage,
  readPrivateKeys,
  refOf,
  writePrivateKeys,
} from '../../src/mls/own-key-package.js';
import { CAPABILITIES, FEDERATED_GROUP_EXTENSION, type Suite, suiteFrom } from '../../src/mls/suite.js';
import { TestClock } from '../support/clock.js';
import { TestDice } from '../support/dice.js';

const alice = ocmAddress('alice@a.test');
const now = new TestClock().now();
const dice = new TestDice('key-package');
const signatureKey = dice.bytes(32);
const none = new Uint8Array();
const seconds = BigInt(now.getTime() / 1000);
let suite: Suite;
let good: KeyPackage;

beforeAll(async () => {
  suite = await suiteFrom(dice);
  good = readKeyPackage((await makeKeyPackage({ address: alice, kind: 'single', signatureKey, now }, suite)).message);
});

interface Changes {
  initKey?: Uint8Array;
  extensions?: Extension[];
  leaf?: {
    credential?: Credential;
    capabilities?: Capabilities;
    lifetime?: Lifetime;
    extensions?: Extension[];
    hpkePublicKey?: Uint8Array;
  };
}

/** The good one with changes, signed anew. */
async function changed({ leaf, ...keyPackage }: Changes): Promise<Uint8Array> {
  if (good.leafNode.leafNodeSource !== 'key_package') throw new Error('not of a KeyPackage');
  const leafNode = await signLeafNodeKeyPackage({ ...good.leafNode, ...leaf }, signatureKey, suite.signature);
  return writeKeyPackage(await signKeyPackage({ ...good, ...keyPackage, leafNode }, signatureKey, suite.signature));
}

const check = (bytes: Uint8Array, at = now) => checkKeyPackage(bytes, { userId: alice, now: at }, suite);
const refused = async (bytes: Uint8Array, code: FaultCode) => {
  await expect(check(bytes)).rejects.toMatchObject({ code });
};
const extension = (extensionType: Extension['extensionType']) => ({ extensionType, extensionData: none });
const able = (change: Partial<Capabilities>) => changed({ leaf: { capabilities: { ...CAPABILITIES, ...change } } });

describe('a KeyPackage that we make', () => {
  test('R-010 R-040 R-084 names its user, can do what a federated group needs and passes our own checks', async () => {
    const own = await makeKeyPackage({ address: alice, kind: 'single', signatureKey, now }, suite);
    const { leafNode, extensions } = await check(own.message);
    expect(leafNode.credential).toEqual({ credentialType: 'basic', identity: utf8(alice) });
    expect(leafNode.capabilities.extensions).toContain(FEDERATED_GROUP_EXTENSION);
    expect(extensions).toEqual([]);
    expect(own.ref).toBe(await refOf(readKeyPackage(own.message), suite));
    expect(readPrivateKeys(writePrivateKeys(own.privateKeys))).toEqual(own.privateKeys);
  });

  test('R-044 carries last_resort only when it is one', async () => {
    const own = await makeKeyPackage({ address: alice, kind: 'last-resort', signatureKey, now }, suite);
    expect((await check(own.message)).extensions).toEqual([extension(LAST_RESORT_EXTENSION)]);
  });

  test('is valid from before now until its row expires, and not a second longer', async () => {
    const own = await makeKeyPackage({ address: alice, kind: 'single', signatureKey, now }, suite);
    await check(own.message, own.expiresAt);
    await check(own.message, new Date(now.getTime() - 3_600_000));
    await expect(check(own.message, new Date(own.expiresAt.getTime() + 1000))).rejects.toThrow('not-valid-now');
    await expect(check(own.message, new Date(now.getTime() - 3_601_000))).rejects.toThrow('not-valid-now');
  });
});

describe('what is read', () => {
  test('an MLSMessage and a bare KeyPackage are the same', async () => {
    expect(await check(encodeKeyPackage(good))).toEqual(good);
    expect(await check(writeKeyPackage(good))).toEqual(good);
  });

  test('every cut and every tail of either form is refused', () => {
    for (const bytes of [encodeKeyPackage(good), writeKeyPackage(good)]) {
      for (let end = 0; end < bytes.length; end++) {
        expect(() => readKeyPackage(bytes.slice(0, end))).toThrow('codec.malformed');
      }
      expect(() => readKeyPackage(new Uint8Array([...bytes, 0]))).toThrow('codec.malformed');
    }
  });

  test('a vector length that is longer than needed is refused', () => {
    const bytes = encodeKeyPackage(good);
    expect(bytes[4]).toBe(32);
    const longer = new Uint8Array([...bytes.slice(0, 4), 0x40, 32, ...bytes.slice(5)]);
    expect(() => readKeyPackage(longer)).toThrow('codec.malformed');
  });

  test('another MLSMessage and a leaf that is not of a KeyPackage are refused', () => {
    const welcome = { cipherSuite: good.cipherSuite, secrets: [], encryptedGroupInfo: none };
    const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome });
    expect(() => readKeyPackage(message)).toThrow('codec.malformed');
    const { hpkePublicKey, signaturePublicKey, credential, capabilities, signature } = good.leafNode;
    const leaf = { hpkePublicKey, signaturePublicKey, credential, capabilities, extensions: [], signature };
    const update = { ...good, leafNode: { ...leaf, leafNodeSource: 'update' } } as unknown as KeyPackage;
    expect(() => readKeyPackage(encodeKeyPackage(update))).toThrow('codec.malformed');
  });
});

describe('what is refused', () => {
  const basic = (identity: Uint8Array): Changes => ({ leaf: { credential: { credentialType: 'basic', identity } } });

  test('R-215 a KeyPackage for another user, however alike', async () => {
    for (const name of ['bob@a.test', 'alice@b.test', 'Alice@a.test', 'alice@A.test', 'alice@a.test ', '']) {
      await refused(await changed(basic(utf8(name))), 'key-package.other-user');
    }
    await refused(await changed(basic(Uint8Array.of(0xff))), 'key-package.other-user');
  });

  test('R-010 a credential that is not a basic one', async () => {
    const credential: Credential = { credentialType: 'x509', certificates: [none] };
    await refused(await changed({ leaf: { credential } }), 'key-package.credential');
  });

  test('another suite or version', async () => {
    const bytes = writeKeyPackage({ ...good, cipherSuite: 'MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519' });
    await refused(bytes, 'key-package.suite');
  });

  test('R-051 R-084 capabilities that lack the extension, the suite, the version or the credential', async () => {
    await refused(await able({ extensions: [] }), 'key-package.capabilities');
    await refused(
      await able({ ciphersuites: ['MLS_128_DHKEMP256_AES128GCM_SHA256_P256'] }),
      'key-package.capabilities',
    );
    await refused(await able({ versions: [] }), 'key-package.capabilities');
    await refused(await able({ credentials: ['x509'] }), 'key-package.capabilities');
    await check(await able({ extensions: [0x1a1a, FEDERATED_GROUP_EXTENSION] }));
  });

  test('extensions that belong elsewhere, come twice or are unknown to their own leaf', async () => {
    for (const type of ['ratchet_tree', 'external_pub', 'application_id', FEDERATED_GROUP_EXTENSION] as const) {
      await refused(await changed({ extensions: [extension(type)] }), 'key-package.foreign-extension');
    }
    for (const type of ['required_capabilities', 'external_senders', FEDERATED_GROUP_EXTENSION, 0x4242] as const) {
      await refused(await changed({ leaf: { extensions: [extension(type)] } }), 'key-package.foreign-extension');
    }
    const twice = [extension(0x0a0a), extension(0x0a0a)];
    await refused(await changed({ extensions: twice }), 'key-package.foreign-extension');
  });

  test('but not what one may ignore', async () => {
    await check(await changed({ extensions: [extension(0x0a0a), extension(LAST_RESORT_EXTENSION)] }));
    const capabilities = { ...CAPABILITIES, extensions: [FEDERATED_GROUP_EXTENSION, 0x1a1a] };
    await check(
      await changed({ leaf: { capabilities, extensions: [extension(0x1a1a), extension('application_id')] } }),
    );
  });

  test('R-046 a lifetime that is over, has not begun or is longer than 90 days', async () => {
    const lasting = (notBefore: bigint, notAfter: bigint) => changed({ leaf: { lifetime: { notBefore, notAfter } } });
    await refused(await lasting(seconds - 100n, seconds - 1n), 'key-package.not-valid-now');
    await refused(await lasting(seconds + 1n, seconds + 100n), 'key-package.not-valid-now');
    await refused(await lasting(seconds, seconds + 90n * 86_400n + 1n), 'key-package.lifetime');
    await refused(await lasting(0n, 2n ** 64n - 1n), 'key-package.lifetime');
    await check(await lasting(seconds, seconds + 90n * 86_400n));
  });

  test('keys that are the same, too short, or of small order', async () => {
    await refused(await changed({ initKey: good.leafNode.hpkePublicKey }), 'key-package.keys');
    await refused(await changed({ initKey: new Uint8Array(31).fill(9) }), 'key-package.keys');
    await refused(await changed({ initKey: new Uint8Array(32) }), 'key-package.keys');
    await refused(await changed({ leaf: { hpkePublicKey: new Uint8Array(32) } }), 'key-package.keys');
  });

  test('R-216 a signature that does not verify, of the leaf or of the whole', async () => {
    const other = dice.bytes(32);
    const byOther = await signKeyPackage(good, other, suite.signature);
    await refused(writeKeyPackage(byOther), 'key-package.signature');
    if (good.leafNode.leafNodeSource !== 'key_package') throw new Error('not of a KeyPackage');
    const leafNode = await signLeafNodeKeyPackage(good.leafNode, other, suite.signature);
    const whole = await signKeyPackage({ ...good, leafNode }, signatureKey, suite.signature);
    await refused(writeKeyPackage(whole), 'key-package.signature');
  });
});
