/** What each third party (a column) did with each token (a row), for one algorithm. */
export interface Outcomes {
  readonly parties: readonly string[];
  readonly rows: readonly { readonly token: string; readonly outcomes: readonly string[] }[];
}

const HEADING = '## ';
const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** The lines of the table under a heading: where they begin and how many they are. */
function tableUnder(lines: readonly string[], heading: string): { readonly at: number; readonly length: number } {
  const under = lines.indexOf(`${HEADING}${heading}`);
  const at = lines.findIndex((line, index) => index > under && line.startsWith('|'));
  const next = lines.findIndex((line, index) => index > under && line.startsWith(HEADING));
  if (under < 0 || at < 0 || (next > 0 && at > next)) throw new Error(`the page has no table under "${heading}"`);
  const length = lines.slice(at).findIndex((line) => !line.startsWith('|'));
  return { at, length };
}

export function outcomesOn(page: string, heading: string): Outcomes {
  const lines = page.split('\n');
  const { at, length } = tableUnder(lines, heading);
  const [head, , ...rows] = lines.slice(at, at + length).map(cellsOf);
  const [, ...parties] = head!;
  return { parties, rows: rows.map(([token, ...outcomes]) => ({ token: token!, outcomes })) };
}

/** The page with another table under that heading, laid out as the formatter does. */
export function rewritten(page: string, heading: string, { parties, rows }: Outcomes): string {
  const lines = page.split('\n');
  const { at, length } = tableUnder(lines, heading);
  const table = [[cellsOf(lines[at]!)[0]!, ...parties], ...rows.map(({ token, outcomes }) => [token, ...outcomes])];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  const [head, ...body] = table.map(line);
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [...lines.slice(0, at), head!, rule, ...body, ...lines.slice(at + length)].join('\n');
}
