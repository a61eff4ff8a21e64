import type { Summary } from '../../core/summary.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { openAtomicFile } from '../../output/atomic-file.ts';
import { createRowCounter, type RowCounter, SHOWN_SLOWEST } from '../../output/report/count/row-counter.ts';
import { createTempoCounter } from '../../output/report/count/tempo-counter.ts';
import { renderReport } from '../../output/report/render-report.ts';
import type { Books } from '../open/books.ts';
import { keepReportFacts } from '../open/kept-report-facts.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { NextCommands } from '../options.ts';
import { readCallTimes } from './call-times.ts';
import { makeReportFacts } from './report-facts.ts';
import { readRunTimeline } from './run-timeline.ts';
import { createTextReader } from './sample-text.ts';
import type { WarningLog } from './warning-log.ts';

export interface ReporterOptions {
  readonly prepared: PreparedJob;
  readonly ledger: Ledger;
  readonly books: Pick<Books, 'costOf'>;
  readonly run: string;
  readonly warnings: WarningLog;
  readonly budgetNanoUsd: number | null;
  readonly commands: Pick<NextCommands, 'failures' | 'retry' | 'sample'>;
  readonly cwd: string;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/** Gathers a run's report while its tables are written, and writes it next to them. */
export interface Reporter {
  /** Takes every finished row, in order. */
  readonly rows: RowCounter;
  /** Writes the page to `path` (null: nowhere), and stores its data with the run. */
  write(summary: Summary, path: string | null): Promise<void>;
}

/** Reads from the ledger what the rows do not show: how long calls and batches took. */
export async function openReporter(options: ReporterOptions): Promise<Reporter> {
  const { prepared, ledger, run } = options;
  const startedAt = ledger.fold.runs.find(({ id }) => id === run)?.startedAt;
  const tempo = createTempoCounter(startedAt === undefined ? options.clock().getTime() : Date.parse(startedAt));
  const times = await readCallTimes(ledger, run, SHOWN_SLOWEST, tempo);
  const readText = createTextReader(prepared.compiled, ledger);
  const rows = createRowCounter({ job: prepared.compiled.job, slowestMs: times.slowestMs, readText });
  return {
    rows,
    async write(summary, path) {
      const batches = await readRunTimeline(ledger, run, tempo, options.signal);
      const counted = rows.read();
      const facts = makeReportFacts({ ...options, summary, counted, calls: times.figures, batches, tempo, endedAt: options.clock() });
      keepReportFacts(ledger, run, facts);
      if (path !== null) await writeReportPage(path, renderReport(facts, counted.picked));
    },
  };
}

/** Replaces the page at `path` when the new one is complete. @throws DiskError if the file cannot be written */
export async function writeReportPage(path: string, page: string): Promise<void> {
  const file = await openAtomicFile(path);
  try {
    await file.write(page);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
