import { z } from 'zod';
import { isFault } from '../kernel/fault.js';
import { providerPattern, type ProviderPattern } from '../kernel/provider-pattern.js';
import { textField } from '../ocm/wire-body.js';
import { REASONS } from '../trust/policy.js';
import type { ProviderPicture } from '../trust/provider.js';

const time = z.iso.datetime();
const why = textField(1_000).min(1);

export const decision = z.strictObject({ why }).meta({ example: { why: 'agreed with their operators' } });

export const settings = z
  .strictObject({
    compatible: z.boolean().nullable().optional(),
    limitPercent: z.int().min(1).max(10_000).nullable().optional(),
    why,
  })
  .meta({ example: { compatible: true, limitPercent: 50, why: 'still on OCM 1.4' } });

const pattern = z.string().transform((text, context): ProviderPattern => {
  try {
    return providerPattern(text);
  } catch (error) {
    if (!isFault(error)) throw error;
    const reason = error.facts['reason'];
    context.addIssue({ code: 'custom', message: typeof reason === 'string' ? reason : error.code });
    return z.NEVER;
  }
});

export const rule = z
  .strictObject({ effect: z.enum(['allow', 'deny']), pattern, why })
  .meta({ example: { effect: 'deny', pattern: '*.example.net', why: 'not of our federation' } });

const providerShape = {
  provider: z.string(),
  standing: z.enum(['allowed', 'held', 'refused']),
  reason: z.enum(REASONS),
  /** The pattern or list that decided. */
  by: z.string().optional(),
  name: z.string().optional(),
  askedAt: time.optional(),
  decision: z.enum(['approved', 'refused']).optional(),
  decidedAt: time.optional(),
  why: z.string().optional(),
  quarantinedAt: time.optional(),
  quarantineWhy: z.string().optional(),
  compatible: z.boolean().optional(),
  limitPercent: z.int().optional(),
};

const waiting = {
  provider: 'othercloud.example.org',
  standing: 'held' as const,
  reason: 'waiting' as const,
  askedAt: '2026-03-01T10:00:00.000Z',
};

export const providerAnswer = z.object(providerShape).meta({ examples: [waiting] });
export const providersAnswer = z
  .object({ providers: z.array(z.object(providerShape)) })
  .meta({ examples: [{ providers: [waiting] }] });

export const trustAnswer = z
  .object({
    policy: z.enum(['open', 'listed', 'approve-first']),
    lists: z.array(
      z.object({
        source: z.string(),
        federation: z.string().optional(),
        providers: z.int(),
        skipped: z.int(),
        readAt: time.optional(),
        failure: z.string().optional(),
      }),
    ),
    rules: z.array(
      z.object({
        effect: z.enum(['allow', 'deny']),
        pattern: z.string(),
        /** Nothing for those of the configuration. */
        why: z.string().optional(),
        madeAt: time.optional(),
      }),
    ),
  })
  .meta({
    examples: [
      {
        policy: 'approve-first',
        lists: [
          {
            source: 'https://directory.example.org/servers',
            federation: 'ScienceMesh',
            providers: 42,
            skipped: 0,
            readAt: '2026-03-01T12:00:00.000Z',
          },
        ],
        rules: [
          {
            effect: 'deny',
            pattern: '*.example.net',
            why: 'not of our federation',
            madeAt: '2026-03-01T09:00:00.000Z',
          },
        ],
      },
    ],
  });

export function showProvider({ host, standing, name, row }: ProviderPicture): z.input<typeof providerAnswer> {
  const { kind, reason, by } = standing;
  return {
    provider: host,
    standing: kind,
    reason,
    ...(by === undefined ? {} : { by }),
    ...(name === undefined ? {} : { name }),
    ...(row?.askedAt ? { askedAt: row.askedAt.toISOString() } : {}),
    ...(row?.decision ? { decision: row.decision } : {}),
    ...(row?.decidedAt ? { decidedAt: row.decidedAt.toISOString() } : {}),
    ...(row?.why ? { why: row.why } : {}),
    ...(row?.quarantinedAt ? { quarantinedAt: row.quarantinedAt.toISOString() } : {}),
    ...(row?.quarantineWhy ? { quarantineWhy: row.quarantineWhy } : {}),
    ...(typeof row?.compatible === 'boolean' ? { compatible: row.compatible } : {}),
    ...(row?.limitPercent ? { limitPercent: row.limitPercent } : {}),
  };
}
