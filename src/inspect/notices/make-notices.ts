import { hash } from 'node:crypto';
import { clip } from '../../core/bounds/clip.ts';
import { EXIT } from '../../core/errors.ts';
import type { NoticeEvent } from '../../core/job.ts';
import type { Summary } from '../../core/summary.ts';
import type { BatchState, LedgerFold } from '../../ledger/events/fold.ts';
import type { RunFiles } from '../../ledger/runs.ts';
import { formatCount, formatSpent, formatThings } from '../../output/format-numbers.ts';
import type { FieldFacts } from '../../output/report/facts.ts';
import { describeEmptyRows } from '../../output/verdict.ts';
import { readReportFacts } from '../../run/open/kept-report-facts.ts';
import type { KeptSummary } from '../../run/open/kept-summary.ts';
import { findShifts } from './find-shifts.ts';
import { leaveOutSaid } from './leave-out-said.ts';

/** A message about a job. The same state gives the same notices, whoever computes them. */
export interface Notice {
  /** Identifies the event: it is reported once. */
  readonly id: string;
  readonly event: NoticeEvent;
  readonly run: string | null;
  /** One or two sentences: no row text, no key, no address. */
  readonly sentence: string;
  /** The next command; null if none is needed. */
  readonly next: 'continue' | 'failures' | 'report' | null;
}

/** The input of notices. */
export interface NoticeState {
  readonly job: string;
  readonly fold: LedgerFold;
  readonly runFiles: RunFiles;
  readonly now: Date;
}

/** A batch has 24 hours; four of them are left to collect it. */
const UNCOLLECTED_AFTER_MS = 20 * 3_600_000;
const ENDED: ReadonlySet<string> = new Set(['completed', 'expired', 'cancelled']);
/** How many runs a run is compared with. */
const COMPARED_RUNS = 5;
const MAX_SENTENCE_CHARACTERS = 1_000;
/** Redundant after the counts. */
const PENDING = /; the remaining rows stay pending/;

/** All current notices. */
export function makeNotices(state: NoticeState): readonly Notice[] {
  return [...findUncollected(state), ...describeLastRun(state)].map((notice) => ({
    ...notice,
    sentence: clip(notice.sentence.replaceAll(/\s+/g, ' '), MAX_SENTENCE_CHARACTERS),
  }));
}

/** Paid batches that have ended, or soon will, and that nobody has collected. */
export function findUncollected({ job, fold, now }: Pick<NoticeState, 'job' | 'fold' | 'now'>): readonly Notice[] {
  return [...fold.batches.values()]
    .filter((batch) => isUncollected(batch, now))
    .map((batch): Notice => {
      const requests = batch.shard === null ? undefined : fold.shards.get(batch.shard)?.rows;
      const sent = `sent on ${batch.submittedAt.slice(0, 16).replace('T', ' ')} UTC`;
      const about = requests === undefined ? sent : `${formatThings(requests, 'request')}, ${sent}`;
      const how = ENDED.has(batch.status) ? `has ended (${batch.status})` : 'has had 20 hours';
      return {
        id: `uncollected ${batch.id}`,
        event: 'uncollected',
        run: batch.run,
        sentence: `${job}: batch ${batch.id} (${about}) ${how}, and nobody has collected its answers, which are paid for`,
        next: 'continue',
      };
    });
}

function isUncollected({ isCollected, status, submittedAt }: BatchState, now: Date): boolean {
  if (isCollected || status === 'lost' || status === 'failed') return false;
  return ENDED.has(status) || now.getTime() - Date.parse(submittedAt) >= UNCOLLECTED_AFTER_MS;
}

function describeLastRun(state: NoticeState): readonly Notice[] {
  const { job, fold } = state;
  const last = fold.runs.at(-1);
  const summary = last === undefined ? null : readSummary(state, last.id);
  if (last === undefined || summary === null) return [];
  const { rows, cost } = summary;
  const spent = formatSpent(cost.nanoUsd, cost.unpricedAttempts);
  const made = `${summary.simulated ? 'simulated, ' : ''}${formatCount(rows.ok)} of ${formatThings(rows.in, 'row')} ok`;
  const about = { run: last.id };
  switch (summary.exitCode) {
    case EXIT.done: {
      const notice: Notice = { ...about, id: `done ${last.id}`, event: 'done', sentence: `${job}: done, ${made}, ${spent}`, next: null };
      return [notice, ...describeShifts(state, summary)];
    }
    case EXIT.failedRows: {
      const causes = Object.entries(summary.causes).map(([cause, count]) => `${formatCount(count)} ${cause}`);
      const emptyRows = describeEmptyRows(summary);
      const sentence =
        emptyRows === null
          ? `${job}: ${summary.verdict} (${causes.join(', ')}), ${made}, ${spent}`
          : `${job}: ${emptyRows.headline} (exit 3), ${summary.simulated ? 'simulated, ' : ''}${spent}; ${emptyRows.remedy}`;
      return [{ ...about, id: `failed ${last.id}`, event: 'failed', sentence, next: 'failures' }, ...describeShifts(state, summary)];
    }
    case EXIT.bug:
    case EXIT.refused:
    case EXIT.stopped:
    case EXIT.notFinished: {
      // Batches in progress are left on purpose by a run that did not wait.
      const goesOn = summary.exitCode === EXIT.notFinished && [...fold.batches.values()].some(({ isCollected }) => !isCollected);
      if (goesOn) return [];
      const why = leaveOutSaid(summary.verdict).replace(PENDING, '');
      const sentence = `${job}: stopped, ${made}, ${spent}. Why: ${why}`;
      return [{ ...about, id: `stopped ${last.id} ${nameReason(summary)}`, event: 'stopped', sentence, next: 'continue' }];
    }
    default:
      return [];
  }
}

/** Identifies the reason why a run stopped, without its figures: the same reason is one event. */
function nameReason({ exitCode, verdict }: Pick<Summary, 'exitCode' | 'verdict'>): string {
  return `${exitCode} ${hash('sha256', verdict.replaceAll(/\d[\d.,]*/g, '#')).slice(0, 12)}`;
}

function describeShifts(state: NoticeState, summary: Summary): readonly Notice[] {
  const { job, fold } = state;
  const ended = fold.runs.filter(({ id, exitCode }) => id !== summary.run && (exitCode === EXIT.done || exitCode === EXIT.failedRows));
  const earlier = ended.slice(-COMPARED_RUNS).flatMap(({ id }) => {
    const kept = readSummary(state, id);
    return kept === null ? [] : [{ summary: kept, fields: readFields(state, id) }];
  });
  const shifts = findShifts({ summary, fields: readFields(state, summary.run) }, earlier);
  return shifts.map(({ of, what }) => ({
    id: `shifted ${summary.run} ${of}`,
    event: 'shifted',
    run: summary.run,
    sentence: `${job}: shifted against the last ${formatThings(earlier.length, 'run')}: ${what}`,
    next: 'report',
  }));
}

function readSummary({ runFiles }: NoticeState, run: string): Summary | null {
  return (runFiles.readRunSummary(run, () => {}) as KeptSummary | null)?.summary ?? null;
}

function readFields({ runFiles }: NoticeState, run: string): readonly FieldFacts[] {
  return readReportFacts({ runFiles }, run)?.fields ?? [];
}
