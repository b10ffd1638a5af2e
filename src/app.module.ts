import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import type { Rows } from './platform/database.provider.js';
import { PlatformModule, type World } from './platform/platform.module.js';

/** The entities of all folders, in the order of the line. */
const ROWS: Rows = [];

/** The modules of all folders, in the order of the line. */
const MODULES: NonNullable<ModuleMetadata['imports']> = [];

@Module({})
export class AppModule {
  static with(world: World): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.with(world, ROWS), ...MODULES] };
  }
}
