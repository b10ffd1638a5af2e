import { z } from 'zod';
import { contentField } from '../ocm/wire-body.js';
import { HEADER_LENGTH } from '../content/stream-header.js';
import { ROTATION_CAUSES, ROTATION_STATES, type Rotation } from './rotation.js';
import { encryption } from './share-bodies.js';

/** What the file platform sends and gets about new file keys. Times are ISO 8601 in UTC, keys base64url. */

const EXAMPLE = {
  resourceId: '3a02538b-aa54-42f2-8853-a38996e211b1',
  version: 2,
  cause: 'member-removed' as const,
  state: 'under-way' as const,
  bytesDone: 67_108_864,
  bytesTotal: 268_435_456,
  requestedAt: '2027-01-04T09:00:00.000Z',
  begunAt: '2027-01-04T09:01:00.000Z',
  finishedAt: null,
};

export const rotationAnswer = z
  .object({
    resourceId: z.uuid(),
    version: z.int(),
    cause: z.enum(ROTATION_CAUSES),
    state: z.enum(ROTATION_STATES),
    bytesDone: z.int(),
    bytesTotal: z.int().nullable(),
    requestedAt: z.iso.datetime(),
    begunAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ examples: [EXAMPLE] });
export const rotationsAnswer = z
  .object({ rotations: z.array(rotationAnswer), next: z.uuid().nullable() })
  .meta({ examples: [{ rotations: [EXAMPLE], next: null }] });

export const rotationKeysAnswer = z
  .object({ rotation: rotationAnswer, encryption, oldFileKey: z.string(), newFileKey: z.string() })
  .meta({
    examples: [
      {
        rotation: EXAMPLE,
        encryption: {
          resourceId: EXAMPLE.resourceId,
          scheme: 'ocm-mls' as const,
          cipher: 'AES-256-GCM' as const,
          format: 'ocm-stream-1',
        },
        oldFileKey: 'nQdZ6Jm0oYz1vWb8r3c7GkXhT5uS2eLpRfAiBqEwM4s',
        newFileKey: 'Zk9w3bQx7uHc1mVtYp5sNf0gJ2rLdA8eKiWoTqBvX6M',
      },
    ],
  });

const version = z.int().min(2).max(2_147_483_647);
const bytes = z.int().nonnegative();

export const rotationProgress = z
  .strictObject({ version, bytesDone: bytes, bytesTotal: bytes })
  .meta({ example: { version: 2, bytesDone: 67_108_864, bytesTotal: 268_435_456 } });

export const rotationEnd = z.strictObject({ version }).meta({ example: { version: 2 } });

export const newRotation = z
  .strictObject({ share: z.uuid() })
  .meta({ example: { share: '0b5c9d0e-5f0e-4e0c-8b4e-7d6a2f9c1a23' } });

export const writtenFile = z
  .strictObject({
    header: contentField.refine(({ length }) => length >= HEADER_LENGTH, `must be ${HEADER_LENGTH} bytes`),
  })
  .meta({ example: { header: Buffer.alloc(HEADER_LENGTH).toString('base64url') } });

export const writtenAnswer = z
  .object({ key: z.enum(['current', 'next', 'other']), version: z.int() })
  .meta({ examples: [{ key: 'current' as const, version: 1 }] });

export const showRotation = ({
  requestedAt,
  begunAt,
  finishedAt,
  ...rest
}: Rotation): z.input<typeof rotationAnswer> => ({
  ...rest,
  requestedAt: requestedAt.toISOString(),
  begunAt: begunAt?.toISOString() ?? null,
  finishedAt: finishedAt?.toISOString() ?? null,
});
