import { expect } from 'vitest';
import type { GroupPicture, Person } from '../support/cast.js';
import type { Exchange } from '../support/wire.js';

/** Every one of them sees the same group: epoch, admins, owner and members. Returns what they see. */
export async function agree(group: string, ...people: readonly Person[]): Promise<GroupPicture> {
  const pictures = await Promise.all(people.map((person) => person.sees(group)));
  const facts = pictures.map(({ lastCommit: _, staleLeaves: __, ...rest }) => rest);
  for (const fact of facts) expect(fact).toEqual(facts[0]);
  return pictures[0]!;
}

/** `notification.federation` of what was sent. */
export function federationOf({ request }: Pick<Exchange, 'request'>): Readonly<Record<string, unknown>> {
  const body = JSON.parse(Buffer.from(request.body!).toString()) as { notification: { federation: object } };
  return body.notification.federation as Readonly<Record<string, unknown>>;
}
