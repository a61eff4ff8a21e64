import { readFileSync, writeFileSync } from 'node:fs';

const PATH = 'docs/benchmarks.md';
const TITLE = '# Benchmarks';

/** Puts one section into docs/benchmarks.md, in the place of the one with the same heading; the others stay as they are. */
export function writeSection(heading: string, text: string): void {
  const sections = readFileSync(PATH, 'utf8').split(/^(?=## )/m);
  const [introduction = TITLE, ...others] = sections;
  const section = `## ${heading}\n\n${text}`;
  const at = others.findIndex((other) => other.startsWith(`## ${heading}\n`));
  if (at === -1) others.push(section);
  else others[at] = section;
  writeFileSync(PATH, `${[introduction, ...others].map((part) => part.trim()).join('\n\n')}\n`);
}

/** A table of Markdown. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}
