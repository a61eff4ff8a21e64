import type { StartTimer } from '../core/timer.ts';
import type { WaitTeller } from '../core/waiting/wait-teller.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Provider } from '../openai/provider.ts';

/** What every step of the batch lane gets. */
export interface BatchContext {
  readonly ledger: Ledger;
  readonly provider: Provider;
  /** Part of each batch's metadata, so that a person can find it. */
  readonly jobName: string;
  readonly settings: BatchSettings;
  readonly clock: () => Date;
  /** Milliseconds that never decrease: used for durations. */
  readonly monotonicMs: () => number;
  /** Resolves after this many milliseconds; rejects with the signal's reason if it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly startTimer: StartTimer;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** Fires when no further work is wanted: waits end, calls in flight finish. */
  readonly stopping: AbortSignal;
  /** Fires when calls in flight must end too. Fires no earlier than `stopping`. */
  readonly signal: AbortSignal;
  /** Called before a create is repeated that may have succeeded. @throws what stops the run if its budget does not cover both */
  readonly beforeRepeat?: () => void;
  /** Told what is being waited for; reports it if it takes more than five seconds. */
  readonly waits: WaitTeller;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
}

export interface BatchSettings {
  /** When to search for a batch whose create response was lost, in milliseconds after the failure, ascending. */
  readonly looksMs: readonly number[];
  /** The longest pause between two polls of one batch. */
  readonly pollMaxMs: number;
}

/** A batch's `created_at` may differ from our clock by this much. */
export const CLOCK_SKEW_MS = 600_000;

/** After this long without any contact, and with nothing in flight, the run ends with exit 7. */
export const UNREACHABLE_MS = 600_000;
