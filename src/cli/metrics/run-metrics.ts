import { readFileSync, statSync } from 'node:fs';
import { AppError, EXIT } from '../../core/errors.ts';
import type { Summary } from '../../core/summary.ts';
import { openAtomicFile } from '../../output/atomic-file.ts';
import type { RunView } from '../../run/send/run-view.ts';
import { type RunMetrics, readJobName, readLastSuccess, renderMetrics } from './render-metrics.ts';

/** Maintains a metrics file about one run, replaced atomically each time. A problem with it is reported once, and fails no run. */
export interface RunMetricsFile {
  /** Sets the job: nothing is written before it is known that the file may be. */
  begin(job: string): void;
  /** Starts writing it while the run works. */
  watch(view: RunView): void;
  /** How the run ended: with a summary, or with an error; a run locked out by another one writes nothing. */
  end(ended: { readonly summary: Summary } | { readonly error: unknown }): Promise<void>;
}

const EVERY_MS = 10_000;
/** Our file is smaller. */
const MAX_BYTES = 1 << 20;

export function createRunMetrics(path: string, warn: (message: string) => void): RunMetricsFile {
  const startedAtSeconds = Date.now() / 1000;
  const startedMs = performance.now();
  let job: string | null = null;
  let view: RunView | null = null;
  let timer: NodeJS.Timeout | undefined;
  let hasWarned = false;
  let writing: Promise<void> = Promise.resolve();

  function write(make: (lastSuccessSeconds: number | null) => Partial<RunMetrics>): Promise<void> {
    writing = writing.then(async () => {
      const before = readFile(path);
      // A run refused before its job is known writes only over the file of an earlier run.
      const name = job ?? readJobName(before);
      if (name === null) return;
      const other = readJobName(before);
      if (other !== null && other !== name && !hasWarned) {
        warn(`--metrics: ${path} held the figures of the job ${other}, which those of ${name} replace: name a file for each job`);
        hasWarned = true;
      }
      try {
        const metrics = { ...NOTHING, ...make(readLastSuccess(before, name)), job: name, startedAtSeconds: round(startedAtSeconds) };
        await replaceFile(path, renderMetrics({ ...metrics, durationSeconds: round((performance.now() - startedMs) / 1000) }));
      } catch (error) {
        if (!hasWarned) warn(`--metrics: ${error instanceof Error ? error.message : String(error)}; the run continues without it`);
        hasWarned = true;
      }
    });
    return writing;
  }

  return {
    begin(name) {
      job = name;
    },
    watch(given) {
      view = given;
      const look = () => void write((lastSuccessSeconds) => ({ ...measure(given), isRunning: true, exitCode: null, lastSuccessSeconds }));
      look();
      timer = setInterval(look, EVERY_MS);
      timer.unref();
    },
    async end(ended) {
      clearInterval(timer);
      if ('summary' in ended) {
        const { exitCode } = ended.summary;
        const now = round(Date.now() / 1000);
        await write((last) => ({ ...summarize(ended.summary), exitCode, lastSuccessSeconds: exitCode === EXIT.done ? now : last }));
        return;
      }
      const exitCode = ended.error instanceof AppError ? ended.error.exitCode : EXIT.bug;
      // The run that holds the lock writes the file.
      if (exitCode === EXIT.locked) return;
      const seen = view === null ? {} : measure(view);
      await write((lastSuccessSeconds) => ({ ...seen, exitCode, lastSuccessSeconds }));
    },
  };
}

const NOTHING: Omit<RunMetrics, 'job' | 'startedAtSeconds' | 'durationSeconds'> = {
  simulated: false,
  isRunning: false,
  exitCode: null,
  lastSuccessSeconds: null,
  rows: null,
  attempts: null,
  tokens: null,
  cost: null,
};

function measure(view: RunView): Partial<RunMetrics> {
  const { usage, batchAttempts, liveAttempts, nanoUsd, unpricedAttempts } = view.totals;
  const skipped = view.rows - view.rowsAsked;
  return {
    simulated: view.isSimulated,
    rows: { ok: view.okRows, failed: view.failedRows, skipped, pending: Math.max(0, view.rowsAsked - view.okRows - view.failedRows) },
    attempts: { batch: batchAttempts, live: liveAttempts },
    tokens: {
      input: usage.inputTokens,
      cached_input: usage.cachedInputTokens,
      output: usage.outputTokens,
      reasoning: usage.reasoningTokens,
    },
    cost: { nanoUsd, unpricedAttempts, possiblyBilledNanoUsd: null, ledgerNanoUsd: null },
  };
}

function summarize({ simulated, rows, attempts, tokens, cost, ledger }: Summary): Partial<RunMetrics> {
  const { ok, failed, skipped, pending } = rows;
  return {
    simulated,
    rows: { ok, failed, skipped, pending },
    attempts: { batch: attempts.batch, live: attempts.live },
    tokens: { input: tokens.input, cached_input: tokens.cachedInput, output: tokens.output, reasoning: tokens.reasoning },
    cost: {
      nanoUsd: cost.nanoUsd,
      unpricedAttempts: cost.unpricedAttempts,
      possiblyBilledNanoUsd: cost.possiblyBilledNanoUsd,
      ledgerNanoUsd: ledger.nanoUsd,
    },
  };
}

/** The current content; empty if there is no file. A pipe would be read forever. */
function readFile(path: string): string {
  try {
    const status = statSync(path);
    return !status.isFile() || status.size > MAX_BYTES ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const file = await openAtomicFile(path);
  try {
    await file.write(text);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
