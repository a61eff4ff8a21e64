import type { ReadPromptControls } from './answer/control-characters.ts';
import type { Usage } from './usage.ts';
/** Why an attempt gave no valid answer. The table in docs/architecture.md says what follows each. */
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

/** What the answer to an attempt means. */
export type OutcomeStatus = 'ok' | Cause;

/** Causes after which a new run retries the row automatically: the row itself was not at fault. */
export const TRANSIENT_CAUSES: ReadonlySet<Cause> = new Set([
  'server_error',
  'timeout',
  'expired',
  'cancelled',
  'missing',
  'rate_limited',
  'undelivered',
]);

/** Outcomes that use one of the row's attempts (design: "uses an attempt"). */
export function usesAttempt(outcome: OutcomeStatus): boolean {
  return outcome !== 'rate_limited' && !isIdle(outcome);
}

/** Outcomes in which nothing was executed; after three of them in a row the row fails. */
export function isIdle(outcome: OutcomeStatus): boolean {
  return outcome === 'expired' || outcome === 'cancelled' || outcome === 'missing' || outcome === 'undelivered';
}

/** How many idle outcomes in a row a key may have. */
export const MAX_IDLE_ROUNDS = 3;

/** A request whose batch vanished is sent again once automatically; if that batch vanishes too, it is held. */
export const MAX_VANISHED_BATCHES = 2;
/** How many attempts of a request our own process may cut off before it is held. */
export const MAX_INTERRUPTIONS = 5;

/** Attempts of a key that may have been billed, through no fault of the row. Counted over runs, until `retry` or an answer. */
export interface Doubts {
  /** Its batches that vanished, or whose files did. */
  readonly vanishedBatches: number;
  /** Its live calls that were cut off by the end of our own process. */
  readonly interruptions: number;
}

/** Why a key whose latest outcome is `unknown` is not sent again automatically, in words; null if it may be. */
export function explainHold({ vanishedBatches, interruptions }: Doubts): string | null {
  if (vanishedBatches >= MAX_VANISHED_BATCHES)
    return 'held: its batch vanished at the provider, and so did the second one; both may have been billed, so only retry sends it a third time';
  if (interruptions >= MAX_INTERRUPTIONS)
    return `held: ${interruptions} attempts were cut off when this program was interrupted; each may have been billed, so only retry sends it again`;
  return null;
}

/** The result of checking an answer's text. */
export type Checked =
  /**
   * `note` says what was removed around the value before it was read; absent if nothing was. `written` is the value with numbers as
   * written; absent if JavaScript writes them the same way.
   */
  | { readonly ok: true; readonly value: unknown; readonly note?: string; readonly written?: unknown }
  /** `message` says what is wrong, for a person and for a re-ask. */
  | { readonly ok: false; readonly message: string };

/** Compiled from the job's output once; pure and synchronous. */
export interface CheckAnswer {
  /**
   * `logprobs`: the probabilities of the text's tokens, as on the wire, if requested. `readPromptControls`: looks up the
   * control characters in the row's own prompt; absent if they are not known.
   */
  (text: string, logprobs?: unknown, readPromptControls?: ReadPromptControls): Checked;
  /** Whether any text is valid, so that several parts are one answer; absent if each part may be an answer. */
  readonly takesAnyText?: boolean;
  /** Whether answers are vectors; absent if they are texts. */
  readonly takesVectors?: boolean;
  /** How the choices of an answer are combined; absent if only the first counts. */
  readonly ballot?: Ballot;
}

/** How several answers to one request are counted. */
export interface Ballot {
  /** How many answers one request asks for: further ones are not counted. */
  readonly votes: number;
  /** The part of an answer that is voted on: answers with the same text agree. */
  readonly read: (value: unknown) => string;
  /** The answer with the share of the requested votes that agree with it. */
  readonly addAgreement: (value: unknown, votes: number) => unknown;
}

/** The meaning of one response line. */
export interface Outcome {
  readonly status: OutcomeStatus;
  /** For a person: why it is not ok; if ok, what was removed around the answer, or empty. */
  readonly message: string;
  /** The provider's error code, if it gave one. */
  readonly code: string | null;
  /** Whether the attempt was executed and is therefore billed. */
  readonly isBilled: boolean;
  /** As reported by the API; null if not billed, or nothing usable was reported. */
  readonly usage: Usage | null;
  /** The model that answered, as reported. */
  readonly model: string | null;
  /** The service tier as reported; the batch lane is priced by lane, not by this. */
  readonly tier: string | null;
  /** Unix seconds of the answer as reported; null if absent. */
  readonly createdSeconds: number | null;
  /** The checked value if ok. */
  readonly value: unknown;
  /** The value with numbers as written; absent if JavaScript writes them the same way. */
  readonly written?: unknown;
  /** The model's text, of several choices the one that counts; null if it was not text. */
  readonly answerText: string | null;
  /**
   * Whether its form is unknown, or it says that the address does not exist or is not accessible: the next answer would be the same, so the
   * row is not sent again.
   */
  readonly isUnreadable: boolean;
  /** Whether it is ok and the provider did not say that it is finished. */
  readonly isUnmarked: boolean;
}

/** What the run may do with a row after its latest outcome. */
export type NextStep = 'done' | 'failed' | 'again' | 'reask';

/** What the ledger remembers about a key's attempts in the current run. */
export interface Progress {
  readonly outcome: OutcomeStatus;
  /** Attempts used in this run, including the latest. */
  readonly attempts: number;
  /** Idle outcomes in a row, including the latest. */
  readonly idleRounds: number;
  /** As of the latest outcome; absent: no. */
  readonly isUnreadable?: boolean;
  /** Whether `explainHold` returns a reason. */
  readonly isHeld?: boolean;
}

/** The job's retry policy. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly onUnknown: 'retry' | 'hold';
  /** Whether the job set an output cap that can still grow: without one a truncated answer cannot get more room. */
  readonly hasOutputCap: boolean;
}

/** The table in the design as a function. */
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
    // Its delivery was refused, not its content: it is sent again without the cache settings.
    case 'undelivered':
      return progress.idleRounds < MAX_IDLE_ROUNDS ? 'again' : 'failed';
    case 'unknown':
      return policy.onUnknown === 'retry' && hasAttemptsLeft && progress.isHeld !== true ? 'again' : 'failed';
    default:
      return progress.outcome satisfies never;
  }
}

/** Whether `retry` can reopen a cause. */
export function isRetryable(cause: string): cause is Cause {
  return (CAUSES as readonly string[]).includes(cause);
}
