import type { PlayedStep, Report } from './story.js';

const WIDTH = 100;

/** A step as people read it, under a heading when its act begins. */
export function stepText(step: PlayedStep, before: PlayedStep | undefined): string {
  const heading = before?.act === step.act ? [] : ['', `Act ${step.act}. ${step.title}`, ''];
  const time = seconds(step.ms);
  const [first = '', ...more] = wrapped(step.says, WIDTH - 14);
  const says = [
    `  ${step.ok ? 'ok  ' : 'FAIL'}  ${first.padEnd(WIDTH - 14)} ${time}`,
    ...more.map((line) => `        ${line}`),
  ];
  const found = step.found.flatMap((line) => wrapped(line, WIDTH - 12)).map((line) => `          ${line}`);
  return [...heading, ...says, ...found].join('\n');
}

/** The last lines. */
export function reportText({ passed, failed, notPlayed, ms }: Report): string {
  const rest = notPlayed === 0 ? '' : `, ${notPlayed} not played`;
  return `\n${passed} steps passed, ${failed} failed${rest}, in ${seconds(ms).trim()}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`.padStart(7);

/** Breaks at spaces; a word that is too long stays whole. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
