import type { RunView } from '../../run/send/run-view.ts';

/** What a run's pace predicts about its end. */
export interface Forecast {
  /** Milliseconds until the last row is answered; null while this cannot be predicted. */
  readonly etaMs: number | null;
  /** The total cost of the run; null while too few of its rows are answered. */
  readonly projectedNanoUsd: number | null;
}

/** Live answers arrive evenly: their pace is that of the last minute. Counts of batches change in steps of minutes. */
const WINDOW_MS = { live: 60_000, batch: 900_000 };
/** A pace is used after this long, a mean cost after this many rows. */
const FIRST_MS = 3_000;
const FIRST_ROWS = 20;
const SAMPLES = 60;

/** Watches a run's pace. Call it at least every few seconds. */
export function createForecast(view: RunView, monotonicMs: () => number): () => Forecast {
  const first = { rows: countRows(view), spentNanoUsd: view.spentNanoUsd };
  let samples: { readonly atMs: number; readonly done: number }[] = [];

  function readEtaMs(): number | null {
    const windowMs = WINDOW_MS[view.lane];
    const now = { atMs: monotonicMs(), done: countDone(view) };
    const last = samples.at(-1);
    if (last === undefined || now.atMs - last.atMs >= windowMs / SAMPLES) samples.push(now);
    // The oldest sample is the last one that is older than the window.
    while (samples.length > 1 && now.atMs - (samples[1]?.atMs ?? 0) >= windowMs) samples = samples.slice(1);
    const [oldest = now] = samples;
    const [passedMs, done] = [now.atMs - oldest.atMs, now.done - oldest.done];
    return passedMs < FIRST_MS || done <= 0 ? null : (Math.max(0, view.rowsAsked - now.done) * passedMs) / done;
  }

  function readProjectedNanoUsd(): number | null {
    const rows = countRows(view) - first.rows;
    if (rows < FIRST_ROWS || view.unpricedAttempts > 0) return null;
    const { spentNanoUsd } = view;
    return spentNanoUsd + Math.round(((view.rowsAsked - countRows(view)) * (spentNanoUsd - first.spentNanoUsd)) / rows);
  }

  return () => ({ etaMs: readEtaMs(), projectedNanoUsd: readProjectedNanoUsd() });
}

/** Finished rows: answered, or failed for good. */
function countRows({ okRows, failedRows }: RunView): number {
  return okRows + failedRows;
}

/** The same, including those in batches whose answers are not collected yet. */
function countDone(view: RunView): number {
  const ended = view.underWay.map(({ phase, batch }) =>
    phase === 'polling' && batch !== null ? batch.counts.completed + batch.counts.failed : 0,
  );
  return ended.reduce((sum, count) => sum + count, countRows(view));
}
