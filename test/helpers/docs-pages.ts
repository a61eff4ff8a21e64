import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

/** A fenced block of a page. */
export interface PageBlock {
  readonly language: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** A command a page tells people to type, with the lines it shows below it. */
export interface PageCommand {
  readonly command: string;
  readonly shown: readonly string[];
  readonly line: number;
}

/** The pages for readers, by their paths; without CHANGELOG.md, which also describes earlier versions. */
export function listPages(): readonly string[] {
  const docs = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', 'GUARANTEES.md', ...docs.map((name) => join('docs', name)).toSorted()];
}

export function readPage(page: string): string {
  return readFileSync(join(projectRoot, page), 'utf8');
}

export function readBlocks(page: string): readonly PageBlock[] {
  const text = readPage(page);
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: block = '', index }) => ({
    language,
    text: block,
    line: text.slice(0, index).split('\n').length + 1,
  }));
}

/** Each begins behind a `$`, which may have the name of a host before it, and ends where its quotes and backslashes do. */
export function readCommands(page: string): readonly PageCommand[] {
  const commands: { command: string; shown: string[]; line: number }[] = [];
  for (const block of readBlocks(page)) {
    if (block.language !== 'console' && block.language !== 'sh') continue;
    let open = false;
    for (const [place, line] of block.text.split('\n').entries()) {
      const begun = /^(?:host[AB])?\$ (.*)$/.exec(line)?.[1];
      const last = commands.at(-1);
      if (open && last !== undefined) last.command += `\n${line}`;
      else if (begun !== undefined) commands.push({ command: begun, shown: [], line: block.line + place });
      else if (line !== '') last?.shown.push(line);
      const current = commands.at(-1);
      open = (open || begun !== undefined) && current !== undefined && isOpen(current.command);
    }
  }
  return commands;
}

/** Commands within the text that name an example job, as they are typed against the simulator. */
export function readInlineCommands(page: string): readonly PageCommand[] {
  const text = readPage(page);
  return [...text.matchAll(/`(rowmill [a-z]+ jobs\/[\w-]+\.yaml[^`\n]*)`/g)]
    .map(({ 1: command = '', index }) => ({ command, shown: [], line: text.slice(0, index).split('\n').length }))
    .filter(({ command }) => !/ [A-Z]{2}/.test(command))
    .map((found) => ({ ...found, command: found.command.includes('--simulate') ? found.command : `${found.command} --simulate` }));
}

function isOpen(command: string): boolean {
  const rest = command.replaceAll(/'[^']*'|"[^"]*"/g, '').split(' # ')[0] ?? '';
  return rest.endsWith('\\') || /['"]/.test(rest);
}
