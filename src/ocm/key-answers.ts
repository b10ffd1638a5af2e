import { z } from 'zod';
import { goneAt, KEY_KINDS, KEY_STATES, type KeyTurn, signsFrom } from './key-rotation.js';

const time = z.iso.datetime();

export const keyKind = z.enum(KEY_KINDS);
export const rotation = z
  .strictObject({ how: z.enum(['with-overlap', 'at-once']) })
  .meta({ example: { how: 'with-overlap' } });

const key = z.object({
  kid: z.string(),
  kind: keyKind,
  alg: z.string(),
  state: z.enum(KEY_STATES),
  createdAt: time,
  signsFrom: time.optional(),
  publishedUntil: time.optional(),
});
export const keysAnswer = z
  .object({
    keys: z.array(key),
    sealing: z.array(z.object({ id: z.string(), seals: z.boolean(), values: z.int() })),
  })
  .meta({
    examples: [
      {
        keys: [
          {
            kid: 'cloud.example.org#http-1f0c2a9b',
            kind: 'http',
            alg: 'Ed25519',
            state: 'current',
            createdAt: '2026-03-01T12:00:00.000Z',
          },
        ],
        sealing: [{ id: '9c56cc51b374c3ba', seals: true, values: 412 }],
      },
    ],
  });

export const showKey = (
  { kid, kind, alg, state, createdAt, retiredAt }: KeyTurn & { readonly alg: string },
  tokenLifetimeMs: number,
): z.input<typeof key> => ({
  kid,
  kind,
  alg,
  state,
  createdAt: createdAt.toISOString(),
  ...(state === 'next' ? { signsFrom: signsFrom({ createdAt }).toISOString() } : {}),
  ...(retiredAt ? { publishedUntil: goneAt(retiredAt, tokenLifetimeMs).toISOString() } : {}),
});
