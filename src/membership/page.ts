import type { pageQuery } from './membership-bodies.js';
import type { z } from 'zod';

/** Those after an address of what is sorted by address, and the address to go on after; null at the end. */
export function pageOf<T extends { readonly address: string }>(
  all: readonly T[],
  { after, limit }: z.output<typeof pageQuery>,
): { readonly page: readonly T[]; readonly next: string | null } {
  const from = after === undefined ? 0 : firstAfter(all, after);
  const page = all.slice(from, from + limit);
  return { page, next: from + limit < all.length ? page.at(-1)!.address : null };
}

function firstAfter(all: readonly { readonly address: string }[], address: string): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.address > address) high = middle;
    else low = middle + 1;
  }
  return low;
}
