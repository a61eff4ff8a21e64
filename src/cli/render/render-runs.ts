import type { ListedRun, RunList } from '../../inspect/list-runs.ts';
import { formatCount, formatSpent } from '../../output/format-numbers.ts';
import { nameEmptyRows } from '../../output/verdict.ts';
import { nameJobs } from './name-jobs.ts';
import type { Paint } from './paint.ts';
import { formatAge, formatSpan } from './render-status.ts';
import { renderTable } from './render-table.ts';

/** On a terminal; files and pipes get cells as they are. */
const MAX_CELLS = 40;
/** A run's id is as long, and has to stay whole to be copied. */
const LEAST_CELLS = 24;

/** The runs of one of several jobs. */
export interface ListedJobRuns extends RunList {
  /** Its job file relative to the working directory. */
  readonly file: string;
}

/** Runs as a table, newest first, without a final newline. With several jobs, each run is next to the name of its job. */
export function renderRuns(lists: readonly ListedJobRuns[], now: Date, paint: Paint): string {
  const isShared = lists.length > 1;
  const names = nameJobs(lists);
  // On a terminal, room is kept for what differs.
  const areSimulated = paint.columns !== null && lists.every(({ runs }) => runs.every(({ simulated }) => simulated));
  const lines = lists
    .flatMap(({ runs }, index) => runs.map((run) => ({ job: names[index] ?? '', run })))
    .toSorted((a, b) => (a.run.startedAt < b.run.startedAt ? 1 : -1))
    .map(({ job, run }) => [...(isShared ? [job] : []), ...describeRun(run, { now, saysSimulated: !areSimulated })]);
  const header = [...(isShared ? ['job'] : []), 'run', 'when', 'rows', 'spent', 'model', 'verdict'];
  const table = renderTable(
    [header, ...lines],
    {
      maxCells: paint.columns === null ? Number.POSITIVE_INFINITY : MAX_CELLS,
      leastCells: LEAST_CELLS,
      spare: ['model', 'when', 'spent', 'rows'],
    },
    paint,
  );
  return areSimulated && lines.length > 0 ? `${table}\n${paint('yellow', 'all simulated')}` : table;
}

function describeRun(
  { id, startedAt, verdict, exitCode, empty, rows, recordedAt, cost, model, simulated }: ListedRun,
  { now, saysSimulated }: { readonly now: Date; readonly saysSimulated: boolean },
): readonly string[] {
  const ended = empty === undefined ? verdict : nameEmptyRows(empty);
  return [
    id,
    `${formatSpan(now.getTime() - Date.parse(startedAt))} ago`,
    rows === null ? '-' : `${describeRecorded(recordedAt, now)}${describeRows(rows)}`,
    cost === null ? '-' : formatSpent(cost.nanoUsd, cost.unpricedAttempts),
    model ?? '-',
    `${ended ?? (exitCode === null ? '-' : `exit ${exitCode}`)}${simulated && saysSimulated ? ', simulated' : ''}`,
  ];
}

/** When rows were counted, before them, where it is never cut: `5s ago: `; empty if that is now. */
export function describeRecorded(at: string | undefined, now: Date): string {
  return at === undefined ? '' : `${formatAge(at, now)} ago: `;
}

/** `2,988/3,000 ok, 12 failed`; zero counts are left out. */
export function describeRows({
  in: all,
  ok,
  failed,
  skipped,
  pending,
}: Pick<NonNullable<ListedRun['rows']>, 'in' | 'ok' | 'failed' | 'skipped' | 'pending'>): string {
  const rest = Object.entries({ failed, skipped, pending }).flatMap(([word, count]) =>
    count === 0 ? [] : [`${formatCount(count)} ${word}`],
  );
  return [`${formatCount(ok)}/${formatCount(all)} ok`, ...rest].join(', ');
}
