import { z } from 'zod';
import { addressField } from '../ocm/wire-body.js';
import { showCursor } from './cursor.js';
import { EVENT_TYPES, EVENTS, eventTypeField } from './event.js';
import { STOP_REASONS, WEBHOOK_STATES, type WebhookPicture } from './webhook.js';

/** What the file platform sends and gets about the feed. */

const CURSOR = '1042-5feceb66ffc86f38';
const HOOK = 'https://files.example.org/covey-events';

const start = z.string().min(1).max(64);
const types = z.array(eventTypeField).min(1).max(100);

export const eventsWanted = z.strictObject({
  after: start.default('oldest'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  types: z
    .string()
    .max(4096)
    .transform((text) => text.split(','))
    .pipe(types)
    .optional(),
  group: addressField.optional(),
});

const event = z.object({
  cursor: z.string(),
  type: z.enum(EVENT_TYPES),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
});
export const eventsAnswer = z
  .object({
    events: z.array(event),
    /** For the next request, also when nothing came. */
    next: z.string(),
    /** Whether there is more now. */
    more: z.boolean(),
  })
  .meta({
    examples: [
      {
        events: [
          {
            cursor: CURSOR,
            type: 'members.added',
            timestamp: '2027-01-04T09:00:00.000Z',
            data: {
              group: 'lab@cloud.example.org',
              mlsGroupId: 'Zm9vYmFy',
              epoch: 7,
              members: ['bob@othercloud.example.org'],
            },
          },
        ],
        next: CURSOR,
        more: false,
      },
    ],
  });

/** For the page of the API. */
export const EVENT_LIST = EVENT_TYPES.map((type) => `- \`${type}\`: ${EVENTS[type].says}`).join('\n');

export const newWebhook = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).max(1024),
    types: types.optional(),
    group: addressField.optional(),
    after: start.default('latest'),
  })
  .meta({ example: { url: HOOK, types: ['members.*', 'group.left'] } });
export const resumption = z.strictObject({ after: start.optional() }).meta({ example: { after: CURSOR } });

const webhook = z.object({
  id: z.uuid(),
  url: z.string(),
  types: z.array(z.string()).nullable(),
  group: z.string().nullable(),
  state: z.enum(WEBHOOK_STATES),
  /** Why this server stopped it. */
  reason: z.enum(STOP_REASONS).nullable(),
  /** Of the last event that it took. */
  cursor: z.string(),
  /** Events behind that one, whether or not they are for this webhook. */
  backlog: z.int(),
  failures: z.int(),
  failingSince: z.iso.datetime().nullable(),
  nextTryAt: z.iso.datetime().nullable(),
  /** `delivered`, an HTTP status, or the code of an error. */
  lastOutcome: z.string().nullable(),
  deliveredAt: z.iso.datetime().nullable(),
  /** Until when the secret before signs too. */
  earlierSecretUntil: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
});
const SHOWN = {
  id: '3a02538b-aa54-42f2-8853-a38996e211b1',
  url: HOOK,
  types: ['members.*', 'group.left'],
  group: null,
  state: 'active' as const,
  reason: null,
  cursor: CURSOR,
  backlog: 0,
  failures: 0,
  failingSince: null,
  nextTryAt: null,
  lastOutcome: 'delivered',
  deliveredAt: '2027-01-04T09:00:00.000Z',
  earlierSecretUntil: null,
  createdAt: '2027-01-04T08:00:00.000Z',
};
const SECRET = { secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDlWGBIEEXAMP=' };

export const webhookAnswer = webhook.meta({ examples: [SHOWN] });
export const webhooksAnswer = z.object({ webhooks: z.array(webhook) }).meta({ examples: [{ webhooks: [SHOWN] }] });
export const newWebhookAnswer = webhook.extend({ secret: z.string() }).meta({ examples: [{ ...SHOWN, ...SECRET }] });
export const secretAnswer = z.object({ secret: z.string() }).meta({ examples: [SECRET] });
export const testAnswer = z
  .object({ outcome: z.string() })
  .meta({ examples: [{ outcome: 'delivered' }, { outcome: '503' }] });

const iso = (at: Date | undefined) => at?.toISOString() ?? null;

export const showWebhook = ({ webhook: hook, backlog }: WebhookPicture): z.input<typeof webhookAnswer> => ({
  id: hook.id,
  url: hook.url,
  types: hook.filter.types ? [...hook.filter.types] : null,
  group: hook.filter.group ?? null,
  state: hook.state,
  reason: hook.reason ?? null,
  cursor: showCursor(hook.cursor),
  backlog,
  failures: hook.failures,
  failingSince: iso(hook.failingSince),
  nextTryAt: iso(hook.dueAt),
  lastOutcome: hook.lastOutcome ?? null,
  deliveredAt: iso(hook.deliveredAt),
  earlierSecretUntil: iso(hook.earlierSecretUntil),
  createdAt: hook.createdAt.toISOString(),
});
