import { readFileSync } from 'node:fs';

/** A body as it goes over the wire, from `test/wire`. */
export const golden = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../wire/${name}.json`, import.meta.url), 'utf8'));
