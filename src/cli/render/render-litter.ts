import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatDollars, formatThings } from '../../output/format-numbers.ts';
import type { Cleaned, Litters } from '../../upkeep/clean/clean.ts';
import type { Litter } from '../../upkeep/clean/local-litter.ts';
import type { Paint } from './paint.ts';

/** Up to this many names are listed; of more, only their number. */
const MOST_NAMES = 3;

/** What would be removed, one paragraph per job. */
export function renderLitter(jobs: readonly Litters[], paint: Paint, showPath: (path: string) => string): string {
  return jobs.map((job) => renderJob(job, paint, showPath)).join('\n\n');
}

function renderJob({ job, state, runs, leftovers, files, answers }: Litters, paint: Paint, showPath: (path: string) => string): string {
  const lines = [`${paint('bold', escapeLineForTerminal(job))}  ${paint('dim', escapeLineForTerminal(showPath(state)))}`];
  lines.push(describeLitter('old runs', runs, showPath), describeLitter('leftovers', leftovers, showPath));
  if (files !== null) lines.push(`  at the provider  ${formatThings(files.length, 'file')}${nameSome(files)}`);
  if (answers !== null && answers.files > 0) {
    const again = answers.againNanoUsd === null ? 'an unknown amount' : `about ${formatDollars(answers.againNanoUsd)}`;
    const what = `${formatThings(answers.lines, 'answer')} in ${formatThings(answers.files, 'file')}, ${formatBytes(answers.bytes)}`;
    lines.push(
      `  ${paint('red', 'answers')}          ${what}; ${formatDollars(answers.paidNanoUsd)} was paid for them, sending the rows again costs ${again}`,
    );
  } else if (answers !== null) lines.push('  answers          none');
  return lines.join('\n');
}

function describeLitter(name: string, litter: readonly Litter[], showPath: (path: string) => string): string {
  if (litter.length === 0) return `  ${name.padEnd(15)}  none`;
  const bytes = litter.reduce((sum, one) => sum + one.bytes, 0);
  return `  ${name.padEnd(15)}  ${formatCount(litter.length)}, ${formatBytes(bytes)}${nameSome(litter.map(({ path }) => showPath(path)))}`;
}

function nameSome(names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, MOST_NAMES).map(escapeLineForTerminal).join(', ');
  return `: ${shown}${names.length > MOST_NAMES ? ', …' : ''}`;
}

/** What was removed. */
export function renderCleaned(cleaned: readonly (Cleaned | null)[]): string {
  const done = cleaned.filter((one) => one !== null);
  const bytes = done.reduce((sum, one) => sum + one.bytes, 0);
  const files = done.flatMap(({ files }) => (files === null ? [] : [files]));
  const count = (name: 'removed' | 'gone' | 'failed') => files.reduce((sum, one) => sum + one[name].length, 0);
  const lines = [`Removed ${formatBytes(bytes)} here`];
  if (files.length > 0) {
    const gone = count('gone') === 0 ? '' : `; ${formatCount(count('gone'))} were gone already`;
    lines[0] += `, and ${formatThings(count('removed'), 'file')} at the provider${gone}`;
  }
  for (const { id, message } of files.flatMap(({ failed }) => failed)) lines.push(escapeLineForTerminal(`${id}  NOT removed: ${message}`));
  return lines.join('\n');
}

function formatBytes(bytes: number): string {
  return bytes < 1_000_000 ? `${formatCount(Math.ceil(bytes / 1000))} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
