import type { Command } from 'commander';
import { quotePath } from '../../core/wording/quote-argument.ts';
import { findClosest } from '../../core/wording/suggest.ts';
import { EXAMPLE, isPresent, suggestJobFile, TAKES_TABLE } from '../job-argument.ts';
import { programName } from '../program-name.ts';

/** Names that other programs use for what a command of ours does. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  ...{ ls: 'status', list: 'status', jobs: 'status', ps: 'status', watch: 'status', history: 'runs', log: 'runs', logs: 'runs' },
  ...{ start: 'run', exec: 'run', resume: 'run', continue: 'run', stop: 'cancel', kill: 'cancel', abort: 'cancel' },
  ...{ check: 'plan', estimate: 'plan', cost: 'plan', 'dry-run': 'plan', preview: 'plan', new: 'init', create: 'init' },
  ...{ results: 'report', result: 'report', summary: 'report', show: 'report', errors: 'failures', compare: 'diff', score: 'eval' },
  ...{ models: 'prices', price: 'prices', server: 'simulate', mock: 'simulate', version: '--version' },
};

/** What shells type, and what is no word. */
const UNTYPED: ReadonlySet<string> = new Set(['complete', '*']);

/** The message for an unknown command, with the one that was probably meant. */
export function describeUnknown(word: string, commands: readonly string[]): string {
  const known = word.toLowerCase();
  const meant =
    (Object.hasOwn(OTHER_WORDS, known) ? OTHER_WORDS[known] : undefined) ??
    findClosest(
      word,
      commands.filter((name) => !UNTYPED.has(name)),
    );
  return `error: unknown command '${word}'${meant === null ? '' : `\n(Did you mean ${meant}?)`}`;
}

/** Commander's message for a command line, with what to type instead if known. */
export function explainUsage(text: string, command: Command): string {
  const hint = findHint(text, command);
  return hint === null ? `${text}\n` : `${text.split('\n')[0]}\n(${hint})\n`;
}

function findHint(text: string, command: Command): string | null {
  const typed = (rest: string) => `${programName()} ${command.name()} ${rest}`;
  const [, option] = /unknown option '([^']*)'/.exec(text) ?? [];
  if (option !== undefined) return explainOption(option, command);
  const [, missing] = /missing required argument '([^']*)'/.exec(text) ?? [];
  if (missing === 'job' && TAKES_TABLE.has(command.name())) return `a job file, or a table: ${programName()} run reviews.csv ${EXAMPLE}`;
  if (command.name() === 'diff' && missing !== undefined)
    return `a job file and two runs: ${typed(`${quotePath(command.args[0] ?? suggestJobFile())} prev last`)}`;
  if (missing === 'job') return `a job file: ${typed(quotePath(suggestJobFile()))}`;
  if (missing === 'shell') return `bash, zsh or fish: source <(${typed('bash')})`;
  if (!text.includes('too many arguments')) return null;
  if (TAKES_TABLE.has(command.name()))
    return `one job or table; put the question about a table after --prompt: ${typed(`reviews.csv ${EXAMPLE}`)}`;
  return command.registeredArguments.length === 0 ? null : 'put text with spaces in quotes';
}

/** A file whose name looks like an option, an option with one dash, its first letter, or a similar one. */
function explainOption(option: string, command: Command): string | null {
  if (isPresent(option)) return `the file of this name is ${quotePath(`./${option}`)}`;
  const longs = ['--help', ...command.options.flatMap(({ long, hidden }) => (long === undefined || long === null || hidden ? [] : [long]))];
  const [, name] = /^--([^=]+)/.exec(option) ?? [];
  const closest =
    name === undefined
      ? null
      : findClosest(
          name,
          longs.map((long) => long.slice(2)),
        );
  if (closest !== null) return `Did you mean --${closest}?`;
  const listed = `${[programName(), ...(command.parent === null ? [] : [command.name()])].join(' ')} --help lists the options`;
  const [, letters] = /^-([A-Za-z][\w-]*)/.exec(option) ?? [];
  if (letters === undefined) return listed;
  const whole = longs.filter((long) => long === `--${letters}`);
  const meant = whole.length > 0 ? whole : letters.length === 1 ? longs.filter((long) => long.startsWith(`--${letters}`)) : [];
  return meant.length === 0 ? listed : `Did you mean ${meant.join(' or ')}?`;
}
