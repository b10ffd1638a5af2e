/** Columns as wide as their widest cell, two blanks apart. What others named may not steer the terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const clean = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...clean.map((row) => row[column]!.length)));
  return clean
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const facts = (lines: readonly (readonly [string, string])[]): string[] =>
  lines.map(([name, value]) => `  ${name.padEnd(13)} ${printable(value)}`);

const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
export const ago = (time: string, now: Date): string => `${span(now.getTime() - Date.parse(time))} ago`;
export const until = (time: string, now: Date): string => `in ${span(Date.parse(time) - now.getTime())}`;

/** The largest unit that fits, in whole numbers. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units: readonly [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ];
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${unit}`;
}
