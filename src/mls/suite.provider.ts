import type { FactoryProvider } from '@nestjs/common';
import { Dice } from '../kernel/dice.js';
import { type Suite, suiteFrom } from './suite.js';

/** The cipher suite has no class of its own to be asked for by. */
export const SUITE = Symbol('suite');

export const suiteProvider: FactoryProvider<Suite> = { provide: SUITE, inject: [Dice], useFactory: suiteFrom };
