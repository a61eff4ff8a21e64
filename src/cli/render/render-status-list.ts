import type { Status } from '../../inspect/status.ts';
import { formatCount, formatSpent } from '../../output/format-numbers.ts';
import { nameJobs } from './name-jobs.ts';
import type { Paint } from './paint.ts';
import { describeRecorded, describeRows } from './render-runs.ts';
import { formatAge } from './render-status.ts';
import { renderTable } from './render-table.ts';

/** The status of one of several jobs. */
export interface ListedJob {
  /** Its job file relative to the working directory. */
  readonly file: string;
  readonly status: Status;
}

const MAX_CELLS = 44;
const LEAST_CELLS = 16;

/** One line per job, without a final newline. Jobs with the same name are told apart by their files. */
export function renderStatusList(jobs: readonly ListedJob[], now: Date, paint: Paint): string {
  const names = nameJobs(jobs.map(({ file, status }) => ({ job: status.job, file })));
  const lines = jobs.map(({ status }, index) => [
    names[index] ?? '',
    describeState(status, now),
    `${describeRecorded(status.recordedAt, now)}${describeRows(status.rows)}`,
    `${formatSpent(status.cost.ledgerNanoUsd, status.cost.ledgerUnpricedAttempts)}${status.simulated ? ' simulated' : ''}`,
  ]);
  return renderTable(
    [['job', 'last run', 'rows', 'spent'], ...lines],
    { maxCells: paint.columns === null ? Number.POSITIVE_INFINITY : MAX_CELLS, leastCells: LEAST_CELLS },
    paint,
  );
}

/** The latest run in a few words. */
function describeState({ run, batches }: Status, now: Date): string {
  if (run === null) return 'none yet';
  const ago = (at: string) => formatAge(at, now);
  if (run.endedAt !== null) return `${run.exitCode === 0 ? 'done' : `exit ${run.exitCode}`} ${ago(run.endedAt)} ago`;
  const underWay = batches.filter(({ isCollected, isExtra }) => !isCollected && !isExtra).length;
  const waits = underWay === 0 ? '' : `, ${formatCount(underWay)} ${underWay === 1 ? 'batch' : 'batches'} out`;
  if (run.runner !== null) return `running since ${ago(run.startedAt)}${waits}`;
  return `${run.leftAt === undefined ? `open since ${ago(run.startedAt)}` : `left ${ago(run.leftAt)} ago`}${waits}`;
}
