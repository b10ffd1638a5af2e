import type { World } from '../support/world.js';

/** A line of the audit log's export. */
export interface Line {
  readonly act: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly epoch?: number;
  readonly digest?: string;
  readonly code?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What a server wrote down, all of it or about one group. */
export async function audited(world: World, host: string, group = ''): Promise<Line[]> {
  const query = group === '' ? '' : `?group=${encodeURIComponent(group)}`;
  const { body } = await world.server(host).api('GET', `/audit${query}`);
  return String(body)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
