import type { StartTimer } from '../../core/timer.ts';
import type { Heartbeat } from '../../ledger/disk/holder-watch.ts';
import type { ProcessIdentity } from '../../ledger/disk/process-identity.ts';

/** Everything a run takes from the outside world that a test may want to control. The real ones are created in `cli/`. */
export interface Effects {
  readonly clock: () => Date;
  /** Milliseconds that never decrease, whatever happens to the clock. */
  readonly monotonicMs: () => number;
  /** Resolves after this many milliseconds; rejects with the signal's reason if it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** For what must not take longer: calls, downloads, connections. */
  readonly startTimer: StartTimer;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** A fresh id of ten lower-case letters and digits. */
  readonly randomId: () => string;
  readonly processIdentity: ProcessIdentity;
  /** The heartbeat of the lock holder, and when it counts as gone; absent: the default. */
  readonly heartbeat?: Heartbeat | undefined;
}
