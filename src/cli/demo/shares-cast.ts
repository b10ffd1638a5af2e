import { z } from 'zod';
import type { OcmAddress } from '../../kernel/address.js';
import { answered } from './cast.js';
import type { Answer, Server, Stage } from './stage.js';
import { insist } from './story.js';

const share = z.object({
  id: z.string(),
  servers: z.array(z.object({ server: z.string(), state: z.string(), providerId: z.string().nullable() })),
});
const received = z.object({ id: z.string(), name: z.string(), sender: z.string(), providerId: z.string() });
const receivedShares = z.object({ shares: z.array(received) });
const opening = z.object({ access_token: z.string(), expires_in: z.number(), uri: z.string() });

export type SentShare = z.output<typeof share>;
export type Received = z.output<typeof received>;

export const created = (answer: Answer): SentShare => answered(answer, 201, share);

export const sentShare = async ({ alpha, notes }: Stage): Promise<SentShare> =>
  answered(await alpha.get(`/api/v1/shares/${notes.get('share')}`), 200, share);

/** Waits until the share stands at this server as told. */
export const stands = (stage: Stage, server: Server, state: string): Promise<string> =>
  stage.until(`the share is "${state}" at ${server.name}`, async () => {
    const { servers } = await sentShare(stage);
    const at = servers.find((row) => row.server === server.domain);
    return at?.state === state ? (at.providerId ?? '') : undefined;
  });

/** What a user can open, as the user's own server says. */
export const seenBy = async (server: Server, user: OcmAddress): Promise<Received[]> =>
  answered(await server.get(`/api/v1/received-shares?user=${encodeURIComponent(user)}`), 200, receivedShares).shares;

/** Waits until the user sees what was shared under that name, once. */
export const appears = (stage: Stage, server: Server, user: OcmAddress, name: string): Promise<Received> =>
  stage.until(`${user} sees ${name}`, async () => {
    const shares = (await seenBy(server, user)).filter((one) => one.name === name);
    insist(shares.length <= 1, 'one share at most', shares);
    return shares[0];
  });

/** Asks the user's own server for what opens a received share. */
export const ask = (server: Server, id: string, member: OcmAddress): Promise<Answer> =>
  server.post(`/api/v1/received-shares/${id}/token`, { member });

/** The token, and how long it is good for. */
export async function tokenFor(
  stage: Stage,
  server: Server,
  id: string,
  member: OcmAddress,
  file: string = stage.files.file,
) {
  const { access_token: token, expires_in: seconds, uri } = answered(await ask(server, id, member), 200, opening);
  insist(uri === file, `the file at ${file}`, uri);
  return { token, seconds };
}
