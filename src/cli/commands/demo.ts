import { access, constants, copyFile, mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { EXIT, UsageError } from '../../core/errors.ts';
import type { Summary } from '../../core/summary.ts';
import { quoteArgument } from '../../core/wording/quote-argument.ts';
import { showCell } from '../../input/request/cell-text.ts';
import { openTable } from '../../input/table/open-table.ts';
import { formatCount, formatSpent } from '../../output/format-numbers.ts';
import { renderSummary } from '../../output/render-summary.ts';
import { runJob } from '../../run/run.ts';
import { type Interrupts, listenForInterrupts } from '../interrupt.ts';
import type { JobFlags, RunFlags } from '../options/flags.ts';
import { findPackageRoot } from '../package-root.ts';
import { programName } from '../program-name.ts';
import { type Progress, startProgress } from '../progress.ts';
import { createPaint } from '../render/paint.ts';
import { renderTable } from '../render/render-table.ts';
import { makeRunOptions, showCommand } from '../run-options.ts';
import { hasColour, paintFor, print, printJson, say } from '../say.ts';

/** Tables and state of the demo, below the working directory; a second demo finds its answers there and sends nothing. */
const FOLDER = join('out', 'demo');
const STATE = join(FOLDER, '.rowmill');

/** One stop of the tour: a job of `jobs/`, and the columns of its table to show. */
interface TourStop {
  readonly job: string;
  readonly out: string;
  readonly shows: string;
  readonly columns: readonly string[];
}

const STOPS: readonly TourStop[] = [
  {
    job: 'review-sentiment.yaml',
    out: 'reviews.csv',
    shows: 'CSV in, JSON mode, answers checked against a schema, through the Batch API',
    columns: ['product', 'Review Text', 'llm_sentiment', 'llm_score', 'llm__status', 'llm__source', 'llm__cost_usd'],
  },
  {
    job: 'nightly-summaries.yaml',
    out: 'summaries.jsonl',
    shows: 'JSONL in and out, a strict schema, through the Batch API',
    columns: ['thread_id', 'subject', 'summary', 'urgent', '_status', '_cost_usd'],
  },
  {
    job: 'ticket-labels.yaml',
    out: 'tickets.labeled.csv',
    shows: 'a closed set of labels, through live calls',
    columns: ['ticket_id', 'lang', 'body', 'label', 'confidence', '_status', '_cost_usd'],
  },
];

/** A table for the user's own question. */
const TABLE = 'inbox.csv';

const SHOWN_ROWS = 6;
const MAX_CELLS = 34;
const LEAST_CELLS = 11;

/** `rowmill demo`: runs the example jobs against the built-in simulator, from input table to output table. */
export async function demo(flags: JobFlags): Promise<number> {
  await checkWorkingDirectory();
  const isJson = flags.json === true;
  const paint = createPaint(hasColour(process.stdout));
  if (!isJson)
    print(
      'Simulated: no model answers and nothing is billed; every answer and every figure below is made up, and nothing leaves this machine.',
    );
  const interrupts = listenForInterrupts(say);
  const summaries: Summary[] = [];
  try {
    for (const [index, stop] of STOPS.entries()) {
      if (!isJson) print(`\n${paint('bold', `${index + 1}. ${stop.job}`)}  ${stop.shows}`);
      const summary = await runStop(stop, isJson, interrupts);
      summaries.push(summary);
      if (!isJson) await showStop(stop, summary);
      if (interrupts.stopping.aborted) break;
    }
  } finally {
    interrupts.dispose();
  }
  if (isJson) printJson({ schema: 'rowmill.demo/1', simulated: true, runs: summaries });
  else {
    showTotals(summaries);
    await showNext(summaries);
  }
  return Math.max(EXIT.done, ...summaries.map(({ exitCode }) => exitCode));
}

/** @throws UsageError if nothing can be written there: the demo's tables have no other place */
async function checkWorkingDirectory(): Promise<void> {
  await access(process.cwd(), constants.W_OK).catch(() => {
    throw new UsageError(
      `the demo writes to ${FOLDER}, and this user has no write access in ${process.cwd()}; run it in a folder of yours`,
    );
  });
}

function runStop(stop: TourStop, isQuiet: boolean, interrupts: Interrupts): Promise<Summary> {
  const options = makeRunOptions(locateJob(stop), makeFlags(stop), interrupts);
  let progress: Progress | null = null;
  const running = runJob({
    ...options,
    confirm: async () => {},
    watch: (view) => {
      progress = startProgress(view, isQuiet ? 'none' : 'auto', process.stderr);
    },
    warn(message) {
      progress?.clear();
      say(message);
    },
  });
  return running.finally(() => progress?.stop());
}

/** The flags a person would type for this stop. */
function makeFlags(stop: TourStop): RunFlags {
  return {
    simulate: true,
    out: join(FOLDER, stop.out),
    stateDir: STATE,
    seed: 1,
    wait: true,
    ifRunning: 'fail',
    progress: 'auto',
    looks: [5000, 20_000, 65_000],
    pollMax: 60_000,
  };
}

function locateJob({ job }: TourStop): string {
  return join(findPackageRoot(), 'jobs', job);
}

async function showStop(stop: TourStop, summary: Summary): Promise<void> {
  const colour = hasColour(process.stdout);
  if (summary.outputs.table !== null) print(`\n${await renderSome(summary.outputs.table, stop.columns)}\n`);
  print(renderSummary(summary, { colour, full: false }));
}

/** Some rows of a table, as they are in the file. */
async function renderSome(path: string, columns: readonly string[]): Promise<string> {
  const { signal } = new AbortController();
  const table = await openTable({ path, format: null, delimiter: null, encoding: null, columns: null, id: [] }, { signal });
  const places = columns.map((name) => table.columns.indexOf(name));
  const rows: string[][] = [];
  for await (const chunk of table.readRows(signal)) {
    for (const { cells } of chunk) {
      rows.push(places.map((place) => showCell(cells[place] ?? '')));
    }
  }
  // Spread evenly over the table, so that all languages and both ends show.
  const some = Array.from(
    { length: Math.min(SHOWN_ROWS, rows.length) },
    (_, index) => rows[Math.floor((index * rows.length) / SHOWN_ROWS)] ?? [],
  );
  const more = rows.length > some.length ? `\n… ${formatCount(rows.length - some.length)} more rows in ${path}` : '';
  return renderTable([columns, ...some], { maxCells: MAX_CELLS, leastCells: LEAST_CELLS }, paintFor(process.stdout)) + more;
}

/** The totals of all stops: every row has its end, every attempt its cost. */
function showTotals(summaries: readonly Summary[]): void {
  const sum = (pick: (summary: Summary) => number) => summaries.reduce((total, summary) => total + pick(summary), 0);
  const [rows, ok, failed, skipped, pending] = (['in', 'ok', 'failed', 'skipped', 'pending'] as const).map((word) =>
    formatCount(sum((summary) => summary.rows[word])),
  );
  print('\nAll together');
  print(`  rows in ${rows} = ok ${ok} + failed ${failed} + skipped ${skipped} + pending ${pending}`);
  const unpriced = sum(({ cost }) => cost.unpricedAttempts);
  print(
    `  spent ${formatSpent(
      sum(({ cost }) => cost.nanoUsd),
      unpriced,
    )} (simulated)`,
  );
  print(`  tables  ${summaries.map(({ outputs }) => outputs.table).join(', ')}`);
  print(`  reports ${summaries.map(({ outputs }) => outputs.report).join(', ')}`);
}

async function showNext(summaries: readonly Summary[]): Promise<void> {
  const [first, last] = [STOPS[0], STOPS.at(-1)];
  if (first === undefined || last === undefined) return;
  const job = relative(process.cwd(), locateJob(first));
  const labels = relative(process.cwd(), locateJob(last));
  const here = { stateDir: STATE };
  const commands = [
    [showCommand('report', job, here), 'prints the summary again'],
    [
      `${showCommand('eval', labels, here)} --gold expected`,
      'how many labels are correct (the simulator made them up: they say nothing about a model)',
    ],
    [showCommand('verify', job, here), 'recomputes everything from the state directory'],
    [
      `${programName()} run ${await copyTable()} --prompt 'Does this mail want something from me?' --output 'wants: yes | no' --simulate`,
      'your own question about a table, without a job file; this table is for trying it',
    ],
  ] as const;
  if (summaries.every(({ attempts }) => attempts.total === 0)) {
    print(`\nThe answers were already in ${quoteArgument(STATE)}: nothing was sent again, nothing was spent again.`);
  }
  print('\nWhat to type next:');
  for (const [command, what] of commands) print(`  ${command}\n      ${what}`);
}

/** Copied, so that its job file is written next to it and not into the package. */
async function copyTable(): Promise<string> {
  const path = join(FOLDER, TABLE);
  await mkdir(FOLDER, { recursive: true });
  await copyFile(join(findPackageRoot(), 'fixtures', TABLE), path);
  return path;
}
