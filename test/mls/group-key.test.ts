import { createHash, createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../src/kernel/bytes.js';
import { groupKey } from '../../src/mls/group-key.js';
import { Fellowship } from './support/fellows.js';

/** ExpandWithLabel of RFC 9420 section 8, written out once more. */
function expandWithLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Buffer {
  const full = utf8(`MLS 1.0 ${label}`);
  const info = Buffer.concat([
    Uint8Array.of(0, length, full.length),
    full,
    Uint8Array.of(context.length),
    context,
    Uint8Array.of(1),
  ]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

describe('the Group Key', () => {
  let group: Fellowship;
  beforeAll(async () => {
    group = await Fellowship.of(['alice', 'bob']);
  });

  test('R-156 R-226 is MLS-Exporter("ocm-group-key", raw group_id, 16)', async () => {
    const { keySchedule, groupContext } = group.state('alice');
    const derived = expandWithLabel(keySchedule.exporterSecret, 'ocm-group-key', new Uint8Array(), 32);
    const hashed = createHash('sha256').update(groupContext.groupId).digest();
    expect(toHex(await groupKey(group.state('alice'), group.suite))).toBe(
      toHex(expandWithLabel(derived, 'exported', hashed, 16)),
    );
  });

  test('is another one after each Commit, and the same for all members', async () => {
    const keys = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const [one, other] = await Promise.all(['alice', 'bob'].map((name) => groupKey(group.state(name), group.suite)));
      expect(one).toEqual(other);
      keys.add(toHex(one!));
      await group.commit('alice');
    }
    expect(keys.size).toBe(3);
  });
});
