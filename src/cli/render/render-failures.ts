import { quoteArgument } from '../../core/wording/quote-argument.ts';
import type { FailureExample, Failures } from '../../inspect/failures.ts';
import type { RowAttempt, RowHistory } from '../../inspect/row-history.ts';
import { escapeForTerminal, escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatDollars, formatThings } from '../../output/format-numbers.ts';
import { createPaint, type Paint } from './paint.ts';
import { renderPrompt } from './render-prompt.ts';

export interface FailureCommands {
  /** The command that retries a cause, by cause. */
  readonly retry: ReadonlyMap<string, string>;
  /** `rowmill failures JOB`, to which `--row ID` is added. */
  readonly row: string;
}

/** Failed and skipped rows by cause, without a final newline. */
export function renderFailures(failures: Failures, commands: FailureCommands, colour: boolean): string {
  const paint = createPaint(colour);
  const { rows, causes } = failures;
  const pending = rows.pending === 0 ? '' : `, ${formatCount(rows.pending)} pending`;
  const title = `${failures.job}: ${formatCount(rows.failed)} failed, ${formatCount(rows.skipped)} skipped of ${formatThings(rows.in, 'row')} of the table${pending}`;
  const lines = [paint('bold', escapeLineForTerminal(title)) + (failures.simulated ? paint('yellow', '  simulated') : '')];
  for (const { cause, count, status, examples } of causes) {
    lines.push('', `${paint('yellow', cause)}  ${formatCount(count)} ${status}`);
    lines.push(...examples.flatMap(describeExample));
    lines.push(paint('dim', `  ${commands.retry.get(cause) ?? 'never sent: change the table or the job, and run it again'}`));
  }
  if (failures.unwrapped !== undefined) {
    const { count, example } = failures.unwrapped;
    lines.push('', `${paint('dim', 'unwrapped')}  ${formatCount(count)} ok`);
    lines.push(...describeExample(example));
  }
  // A record that cannot be read has no id.
  const named = causes.flatMap(({ examples }) => examples).find(({ id }) => id !== '');
  if (named !== undefined)
    lines.push('', `Everything about one row: ${commands.row} --row ${escapeLineForTerminal(quoteArgument(named.id))}`);
  return lines.join('\n');
}

/** The position of a row, what went wrong with it, and its text. */
function describeExample({ file, line, id, message, text }: FailureExample): readonly string[] {
  const place = `  ${file}:${line}${id === '' ? '' : `, id ${id}`}: ${message}`;
  return [place, ...(text === '' ? [] : [`      ${text}`])].map(escapeLineForTerminal);
}

/** A row's prompt and all its attempts, without a final newline. */
export function renderRowHistory(history: RowHistory, colour: boolean): string {
  const paint = createPaint(colour);
  const { disposition } = history;
  const end = 'cause' in disposition ? `${disposition.status} (${disposition.cause}: ${disposition.message})` : disposition.status;
  return [
    paint('bold', escapeLineForTerminal(`${history.file}:${history.line}${history.id === '' ? '' : `  id ${history.id}`}  ${end}`)),
    ...(history.key === null ? [] : [paint('dim', `key ${history.key}`)]),
    '',
    history.request === null ? 'no request: the row was not sent' : renderPrompt(history.request, paint),
    ...history.attempts.flatMap((attempt, index) => ['', ...renderAttempt(attempt, index + 1, paint)]),
    ...(history.attempts.length === 0 ? ['', 'no attempt yet'] : []),
  ].join('\n');
}

function renderAttempt(attempt: RowAttempt, number: number, paint: Paint): readonly string[] {
  const cost = attempt.costNanoUsd === null ? 'at an unknown price' : formatDollars(attempt.costNanoUsd);
  const title = `attempt ${number}  ${attempt.lane}  ${attempt.outcome}  ${cost}  ${attempt.customId}  run ${attempt.run}`;
  return [
    paint('bold', escapeLineForTerminal(title)),
    ...(attempt.message === '' ? [] : [paint('yellow', escapeLineForTerminal(attempt.message))]),
    attempt.answer === null ? paint('dim', 'no answer text') : escapeForTerminal(attempt.answer),
  ];
}
