export interface DemoArguments {
  /** One JSON document on standard output instead of the story. */
  readonly json: boolean;
  /** The servers stay until they are stopped by hand. */
  readonly keep: boolean;
}

export const USAGE = 'usage: npm run demo -- [--json] [--keep]';

/** `undefined` for what is not understood. */
export function demoArguments(args: readonly string[]): DemoArguments | undefined {
  const known = ['--json', '--keep'];
  if (args.some((arg) => !known.includes(arg))) return undefined;
  return { json: args.includes('--json'), keep: args.includes('--keep') };
}
