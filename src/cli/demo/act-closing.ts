import { z } from 'zod';
import { answered } from './cast.js';
import type { Stage } from './stage.js';
import { type Act, insist } from './story.js';

const deliveries = z.object({
  peers: z.array(
    z.object({ peer: z.string(), state: z.string(), waiting: z.number(), dead: z.number(), refused: z.number() }),
  ),
});

export const closing: Act<Stage> = {
  title: 'What is left',
  steps: [
    {
      says: "Carol's old token has come to its end.",
      play: async (stage) => {
        const { files, notes } = stage;
        await stage.until('the token has expired', async () => {
          const { status } = await files.request('GET', notes.get('token of carol'));
          return status === 401 ? status : undefined;
        });
        const code = files.lastDecision()?.code;
        insist(code === 'access.expired', 'a token that has expired', code);
        return [`401 ${code}`];
      },
    },
    {
      says: 'Every letter was delivered: nothing waits, nothing was refused, nothing is dead.',
      play: async (stage) => {
        const servers = [stage.alpha, stage.beta, stage.gamma];
        return Promise.all(
          servers.map(async (server) => {
            const peers = await stage.until(`${server.name} has delivered everything`, async () => {
              const found = answered(await server.get('/api/v1/deliveries'), 200, deliveries).peers;
              return found.every(({ waiting }) => waiting === 0) ? found : undefined;
            });
            const trouble = peers.filter(({ state, dead, refused }) => state !== 'healthy' || dead + refused > 0);
            insist(trouble.length === 0, 'no letter in trouble', trouble);
            return `${server.name} has written to ${peers.map(({ peer }) => peer).join(', ') || 'nobody'}`;
          }),
        );
      },
    },
  ],
};
