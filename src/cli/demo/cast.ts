import { z } from 'zod';
import type { OcmAddress } from '../../kernel/address.js';
import type { Answer, Server, Stage } from './stage.js';
import { insist, Unfulfilled } from './story.js';

/** How one server sees a group. */
const view = z.object({
  epoch: z.number(),
  state: z.enum(['active', 'left']),
  ownerServer: z.string(),
  admins: z.array(z.string()),
  members: z.array(z.object({ address: z.string() })).transform((members) => members.map(({ address }) => address)),
  lastCommit: z.object({ digest: z.string() }).nullable(),
});
export type View = z.output<typeof view>;

const change = z.object({
  id: z.string(),
  state: z.string(),
  epoch: z.number().nullable(),
  code: z.string().nullable(),
});

/** The body of an answer that must have this status. Throws `Unfulfilled`. */
export function answered<T>(answer: Answer, status: number, shape: z.ZodType<T>): T {
  insist(answer.status === status, `an answer with status ${status}`, { status: answer.status, body: answer.body });
  const read = shape.safeParse(answer.body);
  insist(read.success, `an answer of the documented shape`, answer.body);
  return read.data;
}

export const groupPath = (group: OcmAddress): string => `/api/v1/groups/${encodeURIComponent(group)}`;

/** `undefined` while the server does not know the group. */
export async function viewOf(server: Server, group: OcmAddress): Promise<View | undefined> {
  const answer = await server.get(groupPath(group));
  return answer.status === 404 ? undefined : answered(answer, 200, view);
}

/** Waits for a change to be carried out; gives the epoch in which it holds. */
export async function carriedOut(stage: Stage, server: Server, asked: Answer): Promise<number> {
  const { id } = answered(asked, 202, change);
  return stage.until(`the change on ${server.name} is carried out`, async () => {
    const now = answered(await server.get(`/api/v1/changes/${id}`), 200, change);
    if (now.state === 'refused') throw new Unfulfilled(`the change was refused: ${now.code}`);
    return now.state === 'done' ? (now.epoch ?? undefined) : undefined;
  });
}

/** Waits until these servers have come to an epoch, and insists that they see the same group there. */
export async function agreed(
  stage: Stage,
  servers: readonly Server[],
  group: OcmAddress,
  epoch: number,
): Promise<View> {
  const views = await stage.until(`epoch ${epoch} on ${servers.map(({ name }) => name).join(', ')}`, async () => {
    const seen = await Promise.all(servers.map((server) => viewOf(server, group)));
    const all = seen.filter((one) => one !== undefined && one.state === 'active' && one.epoch === epoch);
    return all.length === servers.length ? (all as View[]) : undefined;
  });
  const [first, ...others] = views;
  insist(first !== undefined, 'a server to ask');
  // The server that has only now joined has no Commit in its log.
  const picture = ({ lastCommit: _, ...rest }: View) => JSON.stringify(rest);
  insist(
    others.every((other) => picture(other) === picture(first)),
    'the same group on every server',
    views,
  );
  return first;
}

/** A view in a line. */
export const shown = ({ epoch, members, ownerServer }: View): string =>
  `epoch ${epoch}, members ${members.join(', ')}, owner server ${ownerServer}`;
