import { groupOf } from './act-founding.js';
import { appears, ask, created, seenBy, stands, tokenFor } from './shares-cast.js';
import type { Stage } from './stage.js';
import { type Act, insist } from './story.js';
import { z } from 'zod';

/** The file that everybody in the group may read. */
export const NAME = 'measurements.csv';

export const sharing: Act<Stage> = {
  title: 'A file for the group',
  steps: [
    {
      says: 'Alice shares a file with the group. It lies on a file server that is no OCM server. Every member server gets a notice and a secret of its own.',
      play: async (stage) => {
        const { alpha, beta, gamma, files, notes } = stage;
        const resource = {
          id: 'file-1',
          type: 'file',
          name: NAME,
          uri: files.file,
          permissions: ['read'],
        };
        const sender = alpha.user('alice');
        const share = created(await alpha.post('/api/v1/shares', { group: groupOf(stage), sender, resource }));
        notes.set('share', share.id);
        const ids = [await stands(stage, beta, 'accepted'), await stands(stage, gamma, 'accepted')];
        insist(new Set(ids).size === 2, 'a providerId for each server', ids);
        return [`${files.file}`, `beta knows it as ${ids[0]}`, `gamma knows it as ${ids[1]}`];
      },
    },
    {
      says: 'Bob sees it on beta, Carol sees it on gamma, Dave, who is not in the group, sees nothing.',
      play: async (stage) => {
        const { beta, gamma, notes } = stage;
        const [bob, carol, dave] = [beta.user('bob'), gamma.user('carol'), gamma.user('dave')];
        const [atBeta, atGamma] = [await appears(stage, beta, bob, NAME), await appears(stage, gamma, carol, NAME)];
        insist((await seenBy(gamma, dave)).length === 0, 'nothing for Dave');
        const refused = await ask(gamma, atGamma.id, dave);
        insist(refused.status === 403, 'a refusal for Dave', refused.body);
        notes.set('at beta', atBeta.id).set('at gamma', atGamma.id);
        return [`${bob}: ${atBeta.name} from ${atBeta.sender}`, `${carol}: ${atGamma.name} from ${atGamma.sender}`];
      },
    },
  ],
};

export const reading: Act<Stage> = {
  title: 'A third party believes a token that it did not issue',
  steps: [
    {
      says: "Bob's server exchanges its secret for a token at alpha: a signed request, answered with a JWT.",
      play: async (stage) => {
        const { beta, notes } = stage;
        const { token, seconds } = await tokenFor(stage, beta, notes.get('at beta')!, beta.user('bob'));
        notes.set('token of bob', token);
        return [`valid for ${seconds} seconds`];
      },
    },
    {
      says: 'Bob reads the file with it. The file server finds the keys of alpha through its discovery document, and asks nobody about Bob.',
      play: async ({ alpha, beta, files, notes }) => {
        const read = await files.request('GET', notes.get('token of bob'));
        insist(read.status === 200 && read.body === files.content, 'the file', read);
        const found = await files.request('PROPFIND', notes.get('token of bob'));
        insist(found.status === 207, 'its properties', found);
        const decision = files.lastDecision();
        insist(decision?.issuer === alpha.domain && decision.recipient === beta.domain, 'alpha and beta', decision);
        insist(decision.members?.join() === beta.user('bob'), 'a token for Bob alone', decision);
        return [
          'GET 200, PROPFIND 207',
          `decided by: iss ${decision.issuer}, group ${decision.group}, epoch ${decision.epoch}`,
          `issued to ${decision.recipient} for ${decision.members.join(', ')}`,
        ];
      },
    },
    {
      says: 'Without a token, with a garbled one, and with one whose claims were changed, it refuses.',
      play: async ({ gamma, files, notes }) => {
        const token = notes.get('token of bob')!;
        const tries = [
          ['no token', undefined],
          ['garbled', `${token.slice(0, -8)}AAAAAAAA`],
          ['changed', forged(token, gamma.user('dave'))],
          ['not a token', 'secret'],
        ] as const;
        const lines: string[] = [];
        for (const [name, shown] of tries) {
          const { status } = await files.request('GET', shown);
          insist(status === 401, `401 for ${name}`, status);
          lines.push(`${name}: 401 ${files.lastDecision()?.code ?? ''}`.trim());
        }
        return lines;
      },
    },
  ],
};

/** The token of one member with the name of another. */
function forged(token: string, member: string): string {
  const [head, payload = '', signature] = token.split('.');
  const claims = z
    .looseObject({ ocm_group: z.looseObject({}) })
    .parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  const changed = { ...claims, ocm_group: { ...claims.ocm_group, member, members: [member] } };
  return [head, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
}
