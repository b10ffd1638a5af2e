import type { Invariant } from './invariants.js';
import type { Move } from './move.js';
import { replay, type Setting } from './simulation.js';

/**
 * A shorter story that breaks the same invariant: parts of it are left out, large ones first, as long as it still does.
 * @param most how many stories are tried
 */
export async function shrink(
  setting: Setting,
  moves: readonly Move[],
  invariant: Invariant,
  most: number,
): Promise<readonly Move[]> {
  let left = moves;
  let tries = 0;
  const stillBreaks = async (shorter: readonly Move[]): Promise<boolean> => {
    tries += 1;
    const { breaches } = await replay(setting, shorter, () => undefined);
    return breaches.some((breach) => breach.invariant === invariant);
  };
  for (let size = Math.ceil(left.length / 2); size >= 1 && tries < most; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end, so that what the break stands on is cut last.
    for (let from = left.length - size; from > -size && tries < most; from -= size) {
      const shorter = left.filter((_, index) => index < from || index >= from + size);
      if (shorter.length < left.length && (await stillBreaks(shorter))) left = shorter;
    }
  }
  return left;
}
