import type { Effects } from '../run/open/effects.ts';
import type { RunView } from '../run/send/run-view.ts';
import type { RunProgress } from './settings.ts';

const PROGRESS_MS = 200;

/** Reports the progress of a run periodically until the signal fires, and then once more. */
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
