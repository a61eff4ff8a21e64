import { relative } from 'node:path';
import type { Status, StatusBatch } from '../../inspect/status.ts';
import { describeOrigin } from '../../ledger/origin.ts';
import { describeDoubts, describeMost } from '../../output/describe-doubts.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatSpent, formatThings } from '../../output/format-numbers.ts';
import { describeBudget } from '../../run/budget/facts.ts';
import type { RowCounts } from '../../run/status/row-tally.ts';
import { createPaint } from './paint.ts';

/** More batches than this are counted, not listed; of those that are done, fewer are of interest. */
const MAX_BATCH_LINES = 20;
const MAX_COLLECTED_LINES = 3;
const MAX_DOUBT_LINES = 10;

/** A job's status for the terminal, without a final newline. */
export function renderStatus(status: Status, look: { readonly now: Date; readonly colour: boolean }): string {
  const paint = createPaint(look.colour);
  const { cost } = status;
  const lines: (readonly [string, string])[] = [
    ['run', describeRun(status, look.now)],
    ...listRows(status),
    ...(status.recordedAt === undefined
      ? []
      : [['', `as counted ${formatAge(status.recordedAt, look.now)} ago; without a job file, only a run can count rows again`] as const]),
    [
      'spent',
      `${formatSpent(cost.nanoUsd, cost.unpricedAttempts)} in this run, ${formatSpent(cost.ledgerNanoUsd, cost.ledgerUnpricedAttempts)} in all${describeUnpriced(cost.unpricedAttempts)}`,
    ],
    ...(cost.priceNote === undefined ? [] : [['', cost.priceNote] as const]),
    ...(status.budgets ?? []).map((budget) => ['budget', describeBudget(budget)] as const),
    ...listDoubts(status),
    ...listBatches(status, look.now),
    ...status.waitingFor.map(({ what, id, why }) => ['waits', `for ${describeWaiting(what, id)}${why}`] as const),
    ['state', `${relative(process.cwd(), status.state) || '.'}, answers of ${describeOrigin(status.origin)}`],
  ];
  const title =
    paint('bold', escapeLineForTerminal(`${status.job}  ${status.mode}  ${status.model}`)) +
    (status.simulated ? paint('yellow', '  simulated') : '');
  return [title, ...lines.map(([label, text]) => paint('dim', label.padEnd(10)) + escapeLineForTerminal(text))].join('\n');
}

/** The rows of the latest run, then those of the table, if the run is about a part of it. */
function listRows({ rows, rowsOfRun, sinceFresh }: Status): readonly (readonly [string, string])[] {
  const fresh = sinceFresh === undefined ? [] : ['answers from before --fresh do not count'];
  const describe = (counts: RowCounts) =>
    describeCounts(counts, rowsOfRun === undefined ? '' : counts === rows ? ' of the table' : ' of this run');
  const listInFlight = ({ inFlight }: RowCounts) => (inFlight === 0 ? [] : [`${formatThings(inFlight, 'row')} in batches`]);
  if (rowsOfRun === undefined) return [['rows in', describe(rows) + describePending(rows, [...listInFlight(rows), ...fresh])]];
  return [
    ['rows in', describe(rowsOfRun) + describePending(rowsOfRun, listInFlight(rowsOfRun))],
    ['', describe(rows) + describePending(rows, fresh)],
  ];
}

function describeCounts({ in: all, ok, failed, skipped, pending, where }: RowCounts, what: string): string {
  const filtered = where === undefined ? '' : ` (${formatCount(where)} by input.where)`;
  const [answered, wrong, left, open] = [ok, failed, skipped, pending].map(formatCount);
  return `${formatCount(all)}${what} = ${answered} ok + ${wrong} failed + ${left} skipped${filtered} + ${open} pending`;
}

function describePending({ pending }: RowCounts, notes: readonly string[]): string {
  return pending === 0 || notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}

/** The batches that are under way or lost, and what became of the others. */
function listBatches({ batches }: Status, now: Date): readonly (readonly [string, string])[] {
  const isDone = ({ isCollected, status }: StatusBatch) => isCollected && status !== 'lost';
  const done = batches.filter(isDone);
  const isCounted = done.length > MAX_COLLECTED_LINES;
  const listed = isCounted ? batches.filter((batch) => !isDone(batch)) : batches;
  const rest = listed.length - MAX_BATCH_LINES;
  return [
    ...(isCounted ? [['batches', describeCollected(done)] as const] : []),
    ...listed.slice(-MAX_BATCH_LINES).map((batch) => ['batch', describeBatch(batch, now)] as const),
    ...(rest > 0 ? [['', `and ${formatCount(rest)} earlier`] as const] : []),
  ];
}

/** `23 collected`; after it those that did not complete, by status. */
function describeCollected(batches: readonly StatusBatch[]): string {
  const counts = new Map<string, number>();
  for (const { status } of batches) if (status !== 'completed') counts.set(status, (counts.get(status) ?? 0) + 1);
  const others = [...counts].map(([status, count]) => `${formatCount(count)} ${status}`).join(', ');
  return `${formatCount(batches.length)} collected${others === '' ? '' : `, of them ${others}`}`;
}

function listDoubts({ cost, possiblyBilled }: Status): readonly (readonly [string, string])[] {
  if (possiblyBilled.length === 0) return [];
  const named = describeDoubts(possiblyBilled);
  const rest = named.length - MAX_DOUBT_LINES;
  return [
    [
      'maybe',
      `${describeMost(cost.possiblyBilledNanoUsd, possiblyBilled)} more in all, for calls that may have been billed without an answer`,
    ],
    ...named.slice(0, MAX_DOUBT_LINES).map((text) => ['', text] as const),
    ...(rest > 0 ? [['', `and ${rest} more: --json names all`] as const] : []),
  ];
}

function describeRun({ run }: Status, now: Date): string {
  if (run === null) return 'none yet';
  if (run.endedAt !== null) return `${run.id}, ended ${formatAge(run.endedAt, now)} ago with exit ${run.exitCode}`;
  const left = run.leftAt === undefined ? '' : `, left ${formatAge(run.leftAt, now)} ago`;
  const runner = run.runner === null ? `no run is in progress${left}` : `process ${run.runner.pid} on ${run.runner.host}`;
  return `${run.id}, open since ${formatAge(run.startedAt, now)}, ${runner}`;
}

function describeBatch(batch: StatusBatch, now: Date): string {
  const requests = batch.requests === null ? '' : `  ${formatThings(batch.requests, 'request')}`;
  const end = batch.status === 'lost' ? ', gone; every run looks for it' : ', collected';
  const expires = batch.expiresAt === null ? end : `, expires in ${formatSpan(Date.parse(batch.expiresAt) - now.getTime())}`;
  return `${batch.id}  ${batch.status}${requests}, ${formatSpan(batch.ageSeconds * 1000)} old${expires}${batch.isExtra ? ', extra' : ''}`;
}

/** What waits, before why it does. */
function describeWaiting(what: Status['waitingFor'][number]['what'], id: string | null): string {
  if (what === 'runner') return '';
  return id === null ? `${what}: ` : `${what === 'shard' ? 'batch file' : what} ${id}: `;
}

function describeUnpriced(attempts: number): string {
  return attempts === 0 ? '' : `; ${formatThings(attempts, 'attempt')} of unknown price`;
}

/** How long ago that was, as `formatSpan` has it. */
export function formatAge(at: string, now: Date): string {
  return formatSpan(now.getTime() - Date.parse(at));
}

/** `21h 40m`, `12m`, `8s`; never negative. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
