import type { StartTimer } from '../core/timer.ts';
import type { WaitTeller } from '../core/waiting/wait-teller.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Provider } from '../openai/provider.ts';

/** What every step of the batch lane is handed. */
export interface BatchContext {
  readonly ledger: Ledger;
  readonly provider: Provider;
  /** Goes into each batch's metadata, so that a person finds it again. */
  readonly jobName: string;
  readonly settings: BatchSettings;
  readonly clock: () => Date;
  /** Milliseconds that never go back: how long something takes is told by them. */
  readonly monotonicMs: () => number;
  /** Resolves after that many milliseconds; rejects with the signal's reason when it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly startTimer: StartTimer;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** Fires when no further work is wanted: waits end, calls under way finish. */
  readonly stopping: AbortSignal;
  /** Fires when calls under way must end too. Fires no earlier than `stopping`. */
  readonly signal: AbortSignal;
  /** Called before a create is sent again that may have happened. @throws what stops the run where its budget does not hold both */
  readonly beforeRepeat?: () => void;
  /** Is told what is waited for, and says it where it takes more than five seconds. */
  readonly waits: WaitTeller;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
}

export interface BatchSettings {
  /** When to look for a batch whose create response was lost, in milliseconds after the failure, ascending. */
  readonly looksMs: readonly number[];
  /** The longest pause between two polls of one batch. */
  readonly pollMaxMs: number;
}

/** A batch's `created_at` may differ from our clock by this much. */
export const CLOCK_SKEW_MS = 600_000;

/** Without any contact for this long, and nothing in flight, the run ends with exit 7. */
export const UNREACHABLE_MS = 600_000;
