import type { RunView } from '../../run/send/run-view.ts';

/** What a run's pace says about its end. */
export interface Forecast {
  /** Milliseconds until the last row is answered; null while nothing tells. */
  readonly etaMs: number | null;
  /** What the run will have cost then; null while too few of its rows are answered to tell. */
  readonly projectedNanoUsd: number | null;
}

/** Live answers come evenly: their pace is that of the last minute. Counts of batches move in steps of minutes. */
const WINDOW_MS = { live: 60_000, batch: 900_000 };
/** A pace is believed after so long, a mean cost after so many rows. */
const FIRST_MS = 3_000;
const FIRST_ROWS = 20;
const SAMPLES = 60;

/** Watches a run's pace. To be asked at least every few seconds. */
export function createForecast(view: RunView, monotonicMs: () => number): () => Forecast {
  const first = { okRows: view.okRows, spentNanoUsd: view.spentNanoUsd };
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
    const rows = view.okRows - first.okRows;
    if (rows < FIRST_ROWS || view.unpricedAttempts > 0) return null;
    const { spentNanoUsd } = view;
    return spentNanoUsd + Math.round(((view.rowsAsked - view.okRows) * (spentNanoUsd - first.spentNanoUsd)) / rows);
  }

  return () => ({ etaMs: readEtaMs(), projectedNanoUsd: readProjectedNanoUsd() });
}

/** Rows that are answered, also in batches whose answers are not collected yet. */
function countDone({ okRows, underWay }: RunView): number {
  return underWay.reduce((sum, { phase, batch }) => sum + (phase === 'polling' ? (batch?.counts.completed ?? 0) : 0), okRows);
}
