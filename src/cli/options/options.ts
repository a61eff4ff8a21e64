import { type Command, Option } from 'commander';
import { MODES } from '../../core/job.ts';
import {
  collect,
  parseAge,
  parseAmount,
  parseCount,
  parseDate,
  parseDuration,
  parseLabels,
  parseList,
  parsePositive,
  parsePrice,
  parseSeconds,
  parseTime,
} from './flag-values.ts';

/** The argument of commands that look at one job or at several. */
export const JOB_OR_FOLDER = 'the job file, or its state directory; or a folder, for every job below it (default: the working directory)';

/** How `--help` groups the options of commands with a job. */
const GROUPS = {
  asked: 'For a table without a job file:',
  rows: 'Which rows:',
  way: 'How they are sent:',
  money: 'What it may cost:',
  end: 'How long to stay:',
  places: 'Files and folders:',
  answers: 'Who answers:',
  shown: 'What is shown:',
} as const;

const option = (group: keyof typeof GROUPS, flags: string, description: string) => new Option(flags, description).helpGroup(GROUPS[group]);

export const inputOption = () => option('rows', '--input <path>', 'the table, instead of the one the job names; - is standard input');
export const limitOption = () =>
  option('rows', '--limit <n>', 'only the first n rows of the table').argParser(parsePositive).conflicts('sample');
export const sampleOption = () => option('rows', '--sample <n>', 'only n rows of the table, chosen by --seed').argParser(parsePositive);
export const seedOption = () => option('rows', '--seed <n>', 'chooses the sample').argParser(parseCount).default(1);
export const freshOption = () => option('rows', '--fresh', 'send every row again; older answers only count as cost');
export const retryFailedOption = () => option('rows', '--retry-failed', 'retry failed rows, whatever their cause');
export const maxUsdOption = () =>
  option('money', '--max-usd <x>', 'budget of this run; overrides the one in the job').argParser(parseAmount);
export const deadlineOption = () =>
  option(
    'end',
    '--deadline <time>',
    'be done by then, for example 6h: what batches leave open finishes live, within --max-live-usd',
  ).argParser(parseDuration);
export const maxLiveOption = () =>
  option('end', '--max-live-usd <x>', 'with --deadline: the most that live calls of the run may cost').argParser(parsePrice);
export const outOption = () => option('places', '--out <path>', 'write the table here; - is standard output');
export const promptsOption = () =>
  option('shown', '--prompts <n>', 'show the first n prompts in full, as they would be sent').argParser(parsePositive);
export const modeOption = () => option('way', '--mode <lane>', 'which lane').choices(MODES).env('ROWMILL_MODE');
export const priceOption = () => option('money', '--price-as-of <date>', 'prices of this day (YYYY-MM-DD)').argParser(parseDate);
export const stateOption = () => option('places', '--state-dir <dir>', 'use this instead of .rowmill').env('ROWMILL_STATE_DIR');
export const baseUrlOption = () => option('answers', '--base-url <url>', 'the API to talk to (also ROWMILL_BASE_URL, OPENAI_BASE_URL)');
export const simulateOption = () =>
  option('answers', '--simulate', 'use the built-in simulator: no key, no cost, nothing leaves this machine');
export const jsonOption = () => option('shown', '--json', 'exactly one JSON object on standard output');
export const olderOption = () =>
  option('rows', '--older <time>', 'runs that ended longer ago than this, for example 30d')
    .argParser(parseAge)
    .default(2_592_000_000, '30d');
export const fieldOption = () => new Option('--field <name>', 'the field of the answer, if several have labels');

export const causeOption = () =>
  option('rows', '--cause <causes>', 'only rows that failed with these causes, separated by commas').argParser(parseList);
export const setOption = () =>
  option('way', '--set <param=value>', 'set another parameter, for example params.max_output_tokens=400; may be repeated').argParser(
    (value: string, values: readonly string[] = []) => collect(value, values),
  );

/** The question for a table without a job file. */
export function addTableOptions(command: Command): Command {
  for (const one of [
    option('asked', '--prompt <text>', 'what to do with each row; {{ column }} inserts a cell'),
    option('asked', '--output <field>', "what to answer, as 'sentiment: good | bad', or text; may be repeated").argParser(
      (field: string, fields: readonly string[] = []) => collect(field, fields),
    ),
    option('asked', '--labels <list>', 'the allowed answers, separated by commas').argParser(parseLabels),
    option('asked', '--model <name>', 'the model to use'),
  ])
    command.addOption(one);
  return command;
}

/** The options of `run` and `retry`, and those of only one of them, in the order of the groups. */
export function addRunOptions(command: Command, own: readonly Option[]): Command {
  for (const one of [
    ...own,
    limitOption(),
    sampleOption(),
    seedOption(),
    modeOption(),
    option('way', '--redis <url>', 'live calls are made by workers that share this Redis (also REDIS_URL)'),
    option('way', '--if-running <what>', 'when another run of this job is active').choices(['fail', 'skip', 'wait']).default('fail'),
    maxUsdOption(),
    option('money', '--yes', 'do not ask for confirmation, whatever it costs'),
    priceOption(),
    option('end', '--no-wait', 'leave once everything is with the provider (exit 7); the same command collects it later'),
    option('end', '--wait <time>', 'leave after this time (exit 7), for example 6h or 90m').argParser(parseTime),
    deadlineOption(),
    maxLiveOption(),
    outOption(),
    option('places', '--metrics <file>', 'write metrics of the run to this file, in the text format of Prometheus'),
    option('places', '--adopt-copy', 'work with a state directory that is a copy of another one'),
    option('shown', '--progress <how>', 'how to show progress').choices(['auto', 'plain', 'none']).default('auto').env('ROWMILL_PROGRESS'),
    // For unusual providers and tests: documented in docs/interface.md only.
    option('way', '--looks <seconds>', 'when to look for a batch whose response was lost')
      .argParser(parseSeconds)
      .default([5000, 20_000, 65_000], '5,20,65')
      .env('ROWMILL_LOOKS')
      .hideHelp(),
    option('way', '--poll-max <time>', 'the longest pause between two polls')
      .argParser(parseTime)
      .default(60_000, '60s')
      .env('ROWMILL_POLL_MAX')
      .hideHelp(),
  ])
    command.addOption(one);
  const headings: readonly string[] = Object.values(GROUPS);
  (command.options as Option[]).sort((a, b) => headings.indexOf(a.helpGroupHeading ?? '') - headings.indexOf(b.helpGroupHeading ?? ''));
  return command;
}
