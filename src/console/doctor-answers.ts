import { z } from 'zod';
import { CHECK_STATES } from './examination.js';

export const doctorAnswer = z
  .object({
    checks: z.array(z.object({ name: z.string(), state: z.enum(CHECK_STATES), says: z.string() })),
  })
  .meta({
    examples: [{ checks: [{ name: 'discovery', state: 'ok', says: 'others find https://cloud.example.org/ocm' }] }],
  });
