import type { ConfigProblem } from './config.js';
import { VARIABLES } from './config-variables.js';

/** Name, default and meaning of every variable: the source of the README's table. */
export const CONFIG_VARIABLES: readonly { name: string; default: string; expected: string; meaning: string }[] =
  Object.values(VARIABLES).map((variable) => ({
    name: variable.name,
    default: variable.default ?? '',
    expected: variable.expected,
    meaning: variable.meaning,
  }));

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The table of the README, which a test compares with the README. @public */
export function configTable(): string {
  const rows = CONFIG_VARIABLES.map(
    (variable) =>
      `| \`${variable.name}\` | ${variable.default === '' ? '' : `\`${variable.default}\``} | ${cell(variable.meaning)} Expects ${cell(variable.expected)}. |`,
  );
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

/** What is wrong with the configuration, a line for each variable. */
export function configProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(
      ({ variable, expected, given }) =>
        `  ${variable}: expected ${expected}${given === undefined ? '' : `, got "${given}"`}`,
    )
    .join('\n');
}
