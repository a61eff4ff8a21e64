import { AppError, EXIT } from '../core/errors.ts';
import type { RunOptions } from './options.ts';

/** Adds the time the user gave to the reasons for stopping. */
export interface WaitLimit {
  readonly stopping: AbortSignal;
  dispose(): void;
}

/** `--wait 6h`: after that time no further work is wanted, and the run can be continued. */
export function stopAfter({ waitMs, stopping, effects }: Pick<RunOptions, 'waitMs' | 'stopping' | 'effects'>): WaitLimit {
  if (waitMs === null || waitMs === 0) return { stopping, dispose: () => {} };
  const elapsed = new AbortController();
  const over = new AbortController();
  effects.sleep(waitMs, over.signal).then(
    () =>
      elapsed.abort(
        new AppError('the time given with --wait is over; the batches go on at the provider', {
          code: 'wait_over',
          exitCode: EXIT.notFinished,
        }),
      ),
    () => {},
  );
  return { stopping: AbortSignal.any([stopping, elapsed.signal]), dispose: () => over.abort() };
}
