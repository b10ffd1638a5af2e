import type { Dice } from '../../kernel/dice.js';
import { groupOf } from './act-founding.js';
import { sealedAnew, sealedFromCarol } from './act-sealing.js';
import { agreed, carriedOut, groupPath, shown, viewOf } from './cast.js';
import { ask, seenBy, sentShare, stands, tokenFor } from './shares-cast.js';
import type { Stage } from './stage.js';
import { type Act, insist } from './story.js';

export const removing = (dice: Dice): Act<Stage> => ({
  title: 'Carol is removed',
  steps: [
    {
      says: 'Before that, gamma is stopped for a moment, its disk is copied, and it goes on. The copy will play a server that does not want to know of the removal.',
      play: async (stage) => {
        await stage.copyOfGamma();
        const view = await viewOf(stage.gamma, groupOf(stage));
        insist(view?.state === 'active', 'gamma to have come back with its group', view);
        return [`gamma is back in epoch ${view.epoch}; its copy listens elsewhere`];
      },
    },
    {
      says: 'Carol gets a last token and reads.',
      play: async (stage) => {
        const { gamma, files, notes } = stage;
        const { token, seconds } = await tokenFor(stage, gamma, notes.get('at gamma')!, gamma.user('carol'));
        notes.set('token of carol', token);
        const { status } = await files.request('GET', token);
        insist(status === 200, 'the file', status);
        return [`valid for ${seconds} seconds`];
      },
    },
    {
      says: 'Alice removes Carol. Gamma has no member left: it follows the Commit out of the group.',
      play: async (stage) => {
        const { alpha, beta, gamma } = stage;
        const [group, by] = [groupOf(stage), encodeURIComponent(alpha.user('alice'))];
        const member = encodeURIComponent(gamma.user('carol'));
        const asked = await alpha.delete(`${groupPath(group)}/members/${member}?by=${by}`);
        const seen = await agreed(stage, [alpha, beta], group, await carriedOut(stage, alpha, asked));
        insist(!seen.members.includes(gamma.user('carol')), 'no Carol', seen);
        await stage.until('gamma has left the group', async () => {
          const view = await viewOf(gamma, group);
          return view?.state === 'left' ? view : undefined;
        });
        return [shown(seen), 'gamma: left'];
      },
    },
    {
      says: 'Carol sees no share any more, and her server gets no token. Gamma was told that the share is over.',
      play: async (stage) => {
        const { gamma, notes } = stage;
        await stage.until('carol sees nothing', async () => {
          const shares = await seenBy(gamma, gamma.user('carol'));
          return shares.length === 0 ? shares : undefined;
        });
        const { status } = await ask(gamma, notes.get('at gamma')!, gamma.user('carol'));
        insist(status === 403 || status === 404, 'a refusal', status);
        await stands(stage, gamma, 'ended');
        const { servers } = await sentShare(stage);
        return servers.map(({ server, state }) => `${server}: ${state}`);
      },
    },
    sealedFromCarol,
    sealedAnew(dice),
    {
      says: "The copy of gamma, which believes that Carol is a member, asks alpha with the old secret, signed with gamma's key. The secret is dead.",
      play: async (stage) => {
        const { gamma, notes } = stage;
        const copy = await stage.copyOfGamma();
        const shares = await seenBy(copy, gamma.user('carol'));
        insist(shares.length === 2, 'a copy that still sees what was shared', shares);
        const body = await stage.until('alpha refuses the secret', async () => {
          const refused = await ask(copy, notes.get('at gamma')!, gamma.user('carol'));
          const found = refused.body as { code?: string; answered?: number; error?: string };
          // Gamma itself may have signed the same words in this very second: to alpha that is a replay.
          return found.error === 'invalid_client' ? undefined : found;
        });
        insist(body.code === 'share.token-refused' && body.error === 'invalid_grant', 'alpha to refuse', body);
        return [`alpha answers ${body.answered} ${body.error}`];
      },
    },
    {
      says: 'The token that Carol already had names the epoch it was issued in. Nobody can call it back; it is good until it expires, and not longer.',
      play: async ({ files, notes }) => {
        const { status } = await files.request('GET', notes.get('token of carol'));
        const decision = files.lastDecision();
        insist(status === 200 || decision?.code === 'access.expired', 'the file, or a token that has expired', status);
        return status === 200 ? [`still read with it, as of epoch ${decision?.epoch}`] : ['it has expired already'];
      },
    },
  ],
});
