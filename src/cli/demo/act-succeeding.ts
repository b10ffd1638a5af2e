import { groupOf } from './act-founding.js';
import { sealedForDave } from './act-sealing.js';
import { NAME } from './act-sharing.js';
import { agreed, carriedOut, groupPath, shown } from './cast.js';
import { appears, tokenFor } from './shares-cast.js';
import type { Stage } from './stage.js';
import { type Act, insist } from './story.js';

export const succeeding: Act<Stage> = {
  title: 'Alice hands the group over',
  steps: [
    {
      says: 'She appoints Bob as a second admin.',
      play: async (stage) => {
        const { alpha, beta } = stage;
        const group = groupOf(stage);
        const body = { address: beta.user('bob'), by: alpha.user('alice') };
        const epoch = await carriedOut(stage, alpha, await alpha.post(`${groupPath(group)}/admins`, body));
        const seen = await agreed(stage, [alpha, beta], group, epoch);
        insist(seen.admins.join() === [alpha.user('alice'), beta.user('bob')].join(), 'Alice, then Bob', seen);
        return [`admins ${seen.admins.join(', ')}`, shown(seen)];
      },
    },
    {
      says: 'She resigns as admin, and stays a member. The first admin is now Bob, so his server becomes the owner server.',
      play: async (stage) => {
        const { alpha, beta } = stage;
        const group = groupOf(stage);
        const alice = encodeURIComponent(alpha.user('alice'));
        const asked = await alpha.delete(`${groupPath(group)}/admins/${alice}?by=${alice}`);
        const seen = await agreed(stage, [alpha, beta], group, await carriedOut(stage, alpha, asked));
        insist(seen.ownerServer === beta.domain, 'beta to be the owner server', seen);
        return [shown(seen)];
      },
    },
    {
      says: 'Bob adds Dave of gamma, which comes back to the group. The group keeps its name, though alpha has no say any more.',
      play: async (stage) => {
        const { alpha, beta, gamma } = stage;
        const group = groupOf(stage);
        const body = { address: gamma.user('dave'), by: beta.user('bob') };
        const epoch = await carriedOut(stage, beta, await beta.post(`${groupPath(group)}/members`, body));
        return [shown(await agreed(stage, [alpha, beta, gamma], group, epoch))];
      },
    },
    {
      says: 'Alpha tells gamma of every share with the group, under a new name and secret. Dave sees the file and reads it.',
      play: async (stage) => {
        const { gamma, files, notes } = stage;
        const dave = gamma.user('dave');
        const seen = await appears(stage, gamma, dave, NAME);
        insist(seen.id !== notes.get('at gamma'), 'a new share', seen);
        const { token } = await tokenFor(stage, gamma, seen.id, dave);
        const { status } = await files.request('GET', token);
        insist(status === 200, 'the file', status);
        return [`${dave}: ${seen.name} from ${seen.sender}, GET 200, epoch ${files.lastDecision()?.epoch}`];
      },
    },
    sealedForDave,
  ],
};
