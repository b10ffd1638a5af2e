import { z } from 'zod';
import type { OcmAddress } from '../../kernel/address.js';
import { agreed, answered, carriedOut, groupPath, shown } from './cast.js';
import type { Server, Stage } from './stage.js';
import { type Act, insist } from './story.js';

export const GROUP = 'lab';
export const groupOf = ({ alpha }: Stage) => alpha.user(GROUP);

const discovery = z.object({
  endPoint: z.string(),
  jwksUri: z.string(),
  tokenEndPoint: z.string(),
  resourceTypes: z.array(z.object({ name: z.string(), shareTypes: z.array(z.string()) })),
});

export const meeting: Act<Stage> = {
  title: 'Three servers of three organisations',
  steps: [
    {
      says: 'Each server publishes what it speaks and where its keys are.',
      play: async ({ alpha, beta, gamma }) =>
        Promise.all(
          [alpha, beta, gamma].map(async (server) => {
            const found = answered(await server.get('/.well-known/ocm'), 200, discovery);
            const [file] = found.resourceTypes.filter(({ name }) => name === 'file');
            insist(file?.shareTypes.includes('federation') === true, 'federation among the share types', found);
            return `${server.domain}  keys at ${found.jwksUri}`;
          }),
        ),
    },
    {
      says: 'Their EFSSs make their users known: Alice, Bob, Carol and Dave.',
      play: async ({ alpha, beta, gamma }) => {
        const people = [
          [alpha, 'alice', 'Alice'],
          [beta, 'bob', 'Bob'],
          [gamma, 'carol', 'Carol'],
          [gamma, 'dave', 'Dave'],
        ] as const;
        return Promise.all(
          people.map(async ([server, identifier, displayName]) => {
            const address = server.user(identifier);
            answered(await server.post('/api/v1/users', { address, displayName }), 201, z.object({}));
            return address;
          }),
        );
      },
    },
  ],
};

export const founding: Act<Stage> = {
  title: 'One group over three domains',
  steps: [
    {
      says: 'Alice founds the group "lab" on alpha. She is its first member and its admin.',
      play: async (stage) => {
        const { alpha } = stage;
        const asked = await alpha.post('/api/v1/groups', { identifier: GROUP, creator: alpha.user('alice') });
        answered(asked, 201, z.object({ epoch: z.literal(0) }));
        return [shown(await agreed(stage, [alpha], groupOf(stage), 0))];
      },
    },
    {
      says: 'She adds Bob of beta: alpha fetches his KeyPackage from beta, commits, and sends beta a Welcome.',
      play: async (stage) => {
        const { alpha, beta } = stage;
        const epoch = await added(stage, 'bob', beta);
        return [shown(await agreed(stage, [alpha, beta], groupOf(stage), epoch))];
      },
    },
    {
      says: 'She adds Carol of gamma. Beta follows the Commit and judges it by itself; gamma joins.',
      play: async (stage) => {
        const { alpha, beta, gamma } = stage;
        const epoch = await added(stage, 'carol', gamma);
        const group = groupOf(stage);
        const all = [alpha, beta, gamma];
        const seen = await agreed(stage, all, group, epoch);
        insist(seen.ownerServer === alpha.domain, 'alpha to be the owner server', seen);
        return [...all.map(({ name }) => `${name}: epoch ${epoch}`), shown(seen), 'the three pictures are equal'];
      },
    },
    {
      says: 'Each EFSS asks its own server: is Carol in the group? Is Dave?',
      play: async (stage) => {
        const { alpha, beta, gamma } = stage;
        const [carol, dave] = [gamma.user('carol'), gamma.user('dave')];
        return Promise.all(
          [alpha, beta, gamma].map(async (server) => {
            const [about, other] = [await isMember(stage, server, carol), await isMember(stage, server, dave)];
            insist(about.member && !other.member, 'Carol, and not Dave', [about, other]);
            return `${server.name}: Carol yes, Dave no, as of epoch ${about.epoch}`;
          }),
        );
      },
    },
  ],
};

const membership = z.object({ member: z.boolean(), epoch: z.number() });

const isMember = async (stage: Stage, server: Server, user: OcmAddress) =>
  answered(await server.get(`${groupPath(groupOf(stage))}/members/${encodeURIComponent(user)}`), 200, membership);

async function added(stage: Stage, identifier: string, home: Server): Promise<number> {
  const { alpha } = stage;
  const body = { address: home.user(identifier), by: alpha.user('alice') };
  return carriedOut(stage, alpha, await alpha.post(`${groupPath(groupOf(stage))}/members`, body));
}
