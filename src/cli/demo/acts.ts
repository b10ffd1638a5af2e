import type { Dice } from '../../kernel/dice.js';
import { closing } from './act-closing.js';
import { founding, meeting } from './act-founding.js';
import { removing } from './act-removing.js';
import { reading, sharing } from './act-sharing.js';
import { sealing } from './act-sealing.js';
import { succeeding } from './act-succeeding.js';
import type { Stage } from './stage.js';
import type { Act } from './story.js';

/** The main job as a story, in its order. */
export const acts = (dice: Dice): readonly Act<Stage>[] => [
  meeting,
  founding,
  sharing,
  reading,
  sealing(dice),
  removing(dice),
  succeeding,
  closing,
];
