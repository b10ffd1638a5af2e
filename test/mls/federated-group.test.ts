import type { Extension } from 'ts-mls';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/kernel/bytes.js';
import { isFault } from '../../src/kernel/fault.js';
import { decodeAll } from '../../src/kernel/tls.js';
import {
  adminsOf,
  federatedGroup,
  federatedGroupExtension,
  federatedGroupIn,
  REQUIRED_CAPABILITIES,
  requireFederatedGroup,
  written,
} from '../../src/mls/federated-group.js';
import { FEDERATED_GROUP_EXTENSION } from '../../src/mls/suite.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

const LAB = {
  groupAddress: written('research-group@receiver.example.org'),
  admins: [written('alice@cloud.example.org'), written('bob@othercloud.example.org')],
};
const GOLDEN =
  '2372657365617263682d67726f75704072656365697665722e6578616d706c652e6f7267' +
  '33' +
  '17616c69636540636c6f75642e6578616d706c652e6f7267' +
  '1a626f62406f74686572636c6f75642e6578616d706c652e6f7267';

describe('struct OCMFederatedGroup', () => {
  test('R-068 is written as the vector of the digest: label, then admins with their length in bytes', () => {
    expect(toHex(federatedGroup.write(LAB))).toBe(GOLDEN);
    expect(hex(GOLDEN)).toHaveLength(88);
  });

  test('R-068 is read back from the vector', () => {
    expect(decodeAll(federatedGroup, hex(GOLDEN))).toEqual(LAB);
  });

  test('admins without anyone are one zero byte', () => {
    const alone = { ...LAB, admins: [] };
    expect(toHex(federatedGroup.write(alone)).slice(-2)).toBe('00');
    expect(decodeAll(federatedGroup, federatedGroup.write(alone))).toEqual(alone);
  });

  test('an address keeps the case of its host, though it is compared without it', () => {
    const loud = { groupAddress: written('Lab@EXAMPLE.org'), admins: [written('alice@Cloud.example.ORG')] };
    expect(decodeAll(federatedGroup, federatedGroup.write(loud))).toEqual(loud);
    expect(adminsOf(loud)).toEqual(['alice@cloud.example.org']);
  });

  test.each([
    ['a tail', `${GOLDEN}00`],
    ['a length that is longer than needed', `4023${GOLDEN.slice(2)}`],
    ['a list that is cut off', GOLDEN.slice(0, -2)],
    ['no list', GOLDEN.slice(0, 72)],
    ['nothing', ''],
    ['a label without a host', `03616263${'00'}`],
    ['a label that is not UTF-8', `05ff406140ff${'00'}`],
    ['an admin that is empty', `${GOLDEN.slice(0, 72)}0100`],
  ])('with %s is none', (_, text) => {
    const extension = { extensionType: FEDERATED_GROUP_EXTENSION, extensionData: hex(text) };
    expect(federatedGroupIn([extension])).toBeUndefined();
  });
});

describe('the extension in a GroupContext', () => {
  const extension = federatedGroupExtension(LAB);

  test('R-068 has the type 0xF0CA and is found among others', () => {
    expect(extension.extensionType).toBe(0xf0ca);
    expect(federatedGroupIn([REQUIRED_CAPABILITIES, extension])).toEqual(LAB);
  });

  test('there is none when it is missing or there twice', () => {
    const twice: Extension[] = [extension, extension];
    expect(federatedGroupIn([REQUIRED_CAPABILITIES])).toBeUndefined();
    expect(federatedGroupIn(twice)).toBeUndefined();
    expect(() => requireFederatedGroup(twice)).toThrow(expect.objectContaining({ code: 'group.not-federated' }));
  });

  test('the required capabilities name it and nothing else', () => {
    expect(REQUIRED_CAPABILITIES.extensionType).toBe('required_capabilities');
    expect(toHex(REQUIRED_CAPABILITIES.extensionData)).toBe('02f0ca' + '00' + '00');
  });

  test('what is no address cannot be written', () => {
    const refusal = (() => {
      try {
        return written('nobody');
      } catch (error) {
        return error;
      }
    })();
    expect(isFault(refusal, 'address.malformed')).toBe(true);
  });
});
