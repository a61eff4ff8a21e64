import type { StartTimer } from '../../core/timer.ts';
import type { Heartbeat } from '../../ledger/disk/holder-watch.ts';
import type { ProcessIdentity } from '../../ledger/disk/process-identity.ts';

/** Everything a run takes from the outside world that a test may want to choose. The real ones are made in `cli/`. */
export interface Effects {
  readonly clock: () => Date;
  /** Milliseconds that never go back, whatever happens to the clock. */
  readonly monotonicMs: () => number;
  /** Resolves after that many milliseconds; rejects with the signal's reason when it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** For what must not take longer: calls, downloads, connections. */
  readonly startTimer: StartTimer;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** A fresh id of ten lower-case letters and digits. */
  readonly randomId: () => string;
  readonly processIdentity: ProcessIdentity;
  /** How often the holder of the lock says that it lives, and when it is taken for gone; absent: as usual. */
  readonly heartbeat?: Heartbeat | undefined;
}
