import type { ReadPromptControls } from './answer/control-characters.ts';
import type { Usage } from './usage.ts';
/** Why an attempt did not give an answer that counts. The table in docs/architecture.md says what follows each. */
export const CAUSES = [
  'invalid',
  'truncated',
  'refused',
  'filtered',
  'rate_limited',
  'server_error',
  'timeout',
  'bad_request',
  'expired',
  'cancelled',
  'missing',
  'unknown',
  'undelivered',
] as const;

export type Cause = (typeof CAUSES)[number];

/** What an attempt's answer means. */
export type OutcomeStatus = 'ok' | Cause;

/** Causes after which a new run tries the row again by itself: nothing about the row was at fault. */
export const TRANSIENT_CAUSES: ReadonlySet<Cause> = new Set([
  'server_error',
  'timeout',
  'expired',
  'cancelled',
  'missing',
  'rate_limited',
  'undelivered',
]);

/** Outcomes that use up one of the row's attempts (design: "uses an attempt"). */
export function usesAttempt(outcome: OutcomeStatus): boolean {
  return outcome !== 'rate_limited' && !isIdle(outcome);
}

/** Outcomes in which nothing was executed; a row may meet three of them in a row, then it fails. */
export function isIdle(outcome: OutcomeStatus): boolean {
  return outcome === 'expired' || outcome === 'cancelled' || outcome === 'missing' || outcome === 'undelivered';
}

/** How many idle outcomes in a row a key may meet. */
export const MAX_IDLE_ROUNDS = 3;

/** A request whose batch vanished is asked again once by itself; when that batch vanishes too, it is held. */
export const MAX_VANISHED_BATCHES = 2;
/** So many tries of a request may be ended by our own process before it is held. */
export const MAX_INTERRUPTIONS = 5;

/** What of a key's tries may have been billed, and was nobody's fault at the provider. Counted over runs, until `retry` or an answer. */
export interface Doubts {
  /** Its batches that vanished, or whose files did. */
  readonly vanishedBatches: number;
  /** Its live calls that an end of our own process ended. */
  readonly interruptions: number;
}

/** Why a key whose latest outcome is `unknown` is not asked again by itself, in words; null while it may be. */
export function explainHold({ vanishedBatches, interruptions }: Doubts): string | null {
  if (vanishedBatches >= MAX_VANISHED_BATCHES)
    return 'held: its batch vanished at the provider, and so did the second one; both may have been billed, so only retry sends it a third time';
  if (interruptions >= MAX_INTERRUPTIONS)
    return `held: ${interruptions} attempts were cut off when this program was interrupted; each may have been billed, so only retry sends it again`;
  return null;
}

/** What the check of an answer's text found. */
export type Checked =
  /**
   * `note` says what was removed around the value before it was read; absent when nothing was. `written` is the value with its numbers as they were
   * written; absent where JavaScript writes them so.
   */
  | { readonly ok: true; readonly value: unknown; readonly note?: string; readonly written?: unknown }
  /** `message` says what is wrong, fit for a person and for a re-ask. */
  | { readonly ok: false; readonly message: string };

/** Compiled from the job's output once; pure and synchronous. */
export interface CheckAnswer {
  /**
   * `logprobs`: the probabilities of the text's tokens, as on the wire, where they were asked for. `readPromptControls`: looks up the
   * control characters that stand in the row's own prompt; absent where that is not known.
   */
  (text: string, logprobs?: unknown, readPromptControls?: ReadPromptControls): Checked;
  /** Whether any text will do, so that several parts are one; absent where a part may be an answer by itself. */
  readonly takesAnyText?: boolean;
  /** Whether answers are vectors; absent where they are texts. */
  readonly takesVectors?: boolean;
  /** How the choices of an answer become one; absent where only the first counts. */
  readonly ballot?: Ballot;
}

/** What several answers to one request are counted by. */
export interface Ballot {
  /** How many answers one request asks for: more are not counted. */
  readonly votes: number;
  /** What of an answer is voted on: answers that give the same text agree. */
  readonly read: (value: unknown) => string;
  /** The answer with what share of the votes asked for agrees with it. */
  readonly addAgreement: (value: unknown, votes: number) => unknown;
}

/** What one response line means. */
export interface Outcome {
  readonly status: OutcomeStatus;
  /** For a person: why it is not ok; when ok what was removed around the answer, or empty. */
  readonly message: string;
  /** The provider's error code, when it gave one. */
  readonly code: string | null;
  /** Whether the attempt was executed and is therefore billed. */
  readonly isBilled: boolean;
  /** What the API reported; null when it was not billed, or reported nothing usable. */
  readonly usage: Usage | null;
  /** The model that answered, as reported. */
  readonly model: string | null;
  /** The service tier as reported; the batch lane prices by lane, not by this. */
  readonly tier: string | null;
  /** Unix seconds of the answer as reported; null when absent. */
  readonly createdSeconds: number | null;
  /** The checked value when ok. */
  readonly value: unknown;
  /** The value with its numbers as they were written; absent where JavaScript writes them so. */
  readonly written?: unknown;
  /** What the model said, of several choices the one that counts; null when it was no text. */
  readonly answerText: string | null;
  /**
   * Whether it came in a form nobody here knows, or says that there is no such address or no right to it: the next answer would be the same, so the
   * row is not asked again.
   */
  readonly isUnreadable: boolean;
  /** Whether it is ok and the provider gave no word that it is finished. */
  readonly isUnmarked: boolean;
}

/** What the run may do with a row after its latest outcome. */
export type NextStep = 'done' | 'failed' | 'again' | 'reask';

/** What the ledger remembers of a key's attempts in the current run. */
export interface Progress {
  readonly outcome: OutcomeStatus;
  /** Attempts used in this run, the latest included. */
  readonly attempts: number;
  /** Idle outcomes in a row, the latest included. */
  readonly idleRounds: number;
  /** As of the latest outcome; absent: no. */
  readonly isUnreadable?: boolean;
  /** Whether `explainHold` has a reason. */
  readonly isHeld?: boolean;
}

/** The job's wishes about repeating. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly onUnknown: 'retry' | 'hold';
  /** Whether the job set an output cap that can still grow: without one a truncated answer cannot be given more room. */
  readonly hasOutputCap: boolean;
}

/** design.md's table as a function. */
export function decideNextStep(progress: Progress, policy: RetryPolicy): NextStep {
  const hasAttemptsLeft = progress.attempts < policy.attempts;
  switch (progress.outcome) {
    case 'ok':
      return 'done';
    case 'invalid':
      return hasAttemptsLeft && progress.isUnreadable !== true ? 'reask' : 'failed';
    case 'truncated':
      return hasAttemptsLeft && policy.hasOutputCap ? 'reask' : 'failed';
    case 'refused':
    case 'filtered':
    case 'bad_request':
      return 'failed';
    case 'server_error':
    case 'timeout':
      return hasAttemptsLeft ? 'again' : 'failed';
    case 'rate_limited':
      return 'again';
    case 'expired':
    case 'cancelled':
    case 'missing':
    // How it was delivered was refused, not what it asks: it goes again without.
    case 'undelivered':
      return progress.idleRounds < MAX_IDLE_ROUNDS ? 'again' : 'failed';
    case 'unknown':
      return policy.onUnknown === 'retry' && hasAttemptsLeft && progress.isHeld !== true ? 'again' : 'failed';
    default:
      return progress.outcome satisfies never;
  }
}

/** Whether a cause is one `retry` can open again. */
export function isRetryable(cause: string): cause is Cause {
  return (CAUSES as readonly string[]).includes(cause);
}
