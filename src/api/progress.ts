import type { Effects } from '../run/open/effects.ts';
import type { RunView } from '../run/send/run-view.ts';

/** How far a run is, at one moment. */
export interface RunProgress {
  readonly run: string;
  /** Where requests go now. */
  readonly lane: 'batch' | 'live';
  /** Rows the run is about. */
  readonly rows: number;
  /** Distinct requests among them: rows without those that are skipped or ask what another row asks. */
  readonly requests: number;
  /** Those of them that are answered well, by earlier runs or this one. */
  readonly okRequests: number;
  /** Rows that are to be answered: those that are not skipped. */
  readonly rowsAsked: number;
  /** Those of them that are answered well. */
  readonly okRows: number;
  /** Tries of this run. */
  readonly attempts: number;
  readonly spentNanoUsd: number;
  /** Tries whose price or usage is unknown: they are in no sum. */
  readonly unpricedAttempts: number;
  /** Null without a budget. */
  readonly budgetNanoUsd: number | null;
}

const PROGRESS_MS = 200;

/** Tells how far the run is, now and again until the signal fires, and then once more. */
export function watchProgress(
  view: RunView,
  tell: (progress: RunProgress) => void,
  { sleep, signal }: Pick<Effects, 'sleep'> & { readonly signal: AbortSignal },
): void {
  const tellNow = () => {
    const { run, lane, rows, requests, okRequests, rowsAsked, okRows, attempts, spentNanoUsd, unpricedAttempts, budgetNanoUsd } = view;
    tell({ run, lane, rows, requests, okRequests, rowsAsked, okRows, attempts, spentNanoUsd, unpricedAttempts, budgetNanoUsd });
  };
  const again = () => {
    tellNow();
    // The sleep ends early only when the signal fires.
    sleep(PROGRESS_MS, signal).then(again, () => {});
  };
  signal.addEventListener('abort', tellNow, { once: true });
  again();
}
