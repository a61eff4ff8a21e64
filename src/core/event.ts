import type { RowSelection } from './row.ts';
import type { LaneName } from './settled.ts';

/**
 * The lifecycle events of runs and batches: what `events.jsonl` holds, one per line, in the order in which it happened.
 * Instants are ISO strings. The order "intent, effect, outcome" is the promise that nothing is paid twice unnoticed.
 */
export type Event =
  /** `version` is that of the program; absent in what the first ones wrote. */
  | {
      readonly type: 'state-created';
      readonly state: string;
      readonly format: number;
      readonly version?: string;
      readonly origin: string;
    }
  /** The directory is a copy of one that has another id: from here on it is a state of its own, with this one. */
  | { readonly type: 'state-adopted'; readonly state: string }
  /** From here on a later version's events follow: it says so before the first of them. */
  | { readonly type: 'format-raised'; readonly format: number; readonly version: string }
  /**
   * `estimateNanoUsd`: what the run was expected to cost when it began, for all its rows; `lane`: where they went at first, absent in what early
   * versions wrote; `date`: the day its table is named by, where it is.
   */
  | {
      readonly type: 'run-started';
      readonly run: string;
      readonly job: string;
      readonly simulated: boolean;
      readonly lane?: 'batch' | 'live';
      readonly date?: string;
      /** Of a pilot; absent for a run of all rows, and in what early versions wrote. */
      readonly selection?: RowSelection;
      readonly estimateNanoUsd: number | null;
    }
  /** The run is to be done by `deadlineAt`, `afterMs` after it first heard so. */
  | { readonly type: 'deadline-set'; readonly run: string; readonly afterMs: number; readonly deadlineAt: string }
  /** The run's time for batches is over: none is created from now on, those there are get cancelled, and the rest finishes live. */
  | { readonly type: 'lane-switched'; readonly run: string }
  /** With exit code 2 or 4 it was refused before anything came of it, and counts as no run. */
  | { readonly type: 'run-ended'; readonly run: string; readonly exitCode: number }
  /** `estimateNanoUsd` here and in `retry-opened`: what the whole run is expected to cost from now on; absent in what early versions wrote. */
  | { readonly type: 'generation-started'; readonly generation: number; readonly estimateNanoUsd?: number | null }
  /** Rows the user wants tried again; `set` are the parameters `retry --set` gave. */
  | {
      readonly type: 'retry-opened';
      readonly keys: readonly string[];
      readonly set: Readonly<Record<string, unknown>>;
      readonly estimateNanoUsd?: number | null;
    }
  | {
      readonly type: 'shard-written';
      readonly shard: string;
      readonly rows: number;
      readonly bytes: number;
      /** Of the longest line; absent in events of versions that did not look. */
      readonly longestBytes?: number;
      /** Estimated prompt tokens of all requests. */
      readonly tokens: number;
      readonly sha256: string;
      readonly model: string;
      readonly url: string;
      readonly customIds: readonly string[];
      /** Its lines that try out whether batches take what steers the prompt cache; absent where none does. */
      readonly probe?: readonly string[];
      readonly controls?: PromptControls;
      readonly terms?: PriceTerms;
    }
  | { readonly type: 'shard-retired'; readonly shard: string; readonly why: string }
  /** Whether an address takes what steers the prompt cache, by model and lane: only a batch is evidence for batches. */
  | { readonly type: 'cache-option-learned'; readonly model: string; readonly lane: LaneName; readonly isTaken: boolean }
  | { readonly type: 'limit-learned'; readonly model: string; readonly enqueuedTokens: number }
  /** The same limit, of an account that counts requests. */
  | { readonly type: 'request-limit-learned'; readonly model: string; readonly enqueuedRequests: number }
  /** Something this base URL wants in another form than OpenAI's: `name` and `form` of `Forms` in src/openai/forms.ts. */
  | { readonly type: 'address-learned'; readonly baseUrl: string; readonly name: string; readonly form: string }
  | { readonly type: 'upload-intent'; readonly shard: string; readonly filename: string }
  | { readonly type: 'upload-done'; readonly shard: string; readonly fileId: string }
  | {
      readonly type: 'create-intent';
      readonly shard: string;
      readonly attempt: number;
      readonly fileId: string;
      readonly keyFingerprint: string;
    }
  | {
      readonly type: 'create-done';
      readonly shard: string;
      readonly attempt: number;
      readonly batchId: string;
      readonly how: 'response' | 'adopted';
    }
  | { readonly type: 'create-refused'; readonly shard: string; readonly attempt: number; readonly code: string; readonly message: string }
  | { readonly type: 'create-unknown'; readonly shard: string; readonly attempt: number; readonly why: string }
  /** No look found the batch of this create. It may exist all the same: `batch-extra` says so when it surfaces. */
  | { readonly type: 'create-absent'; readonly shard: string; readonly attempt: number; readonly looks: number }
  | { readonly type: 'batch-status'; readonly batchId: string; readonly status: string }
  /**
   * A batch of ours nobody waits for: `shard` is the shard it repeats, null when that is not known; `attempt` the create that made it, absent
   * when that is not known.
   */
  | { readonly type: 'batch-extra'; readonly batchId: string; readonly shard: string | null; readonly attempt?: number }
  /** A batch that was collected as lost is there again: what it holds is still to be taken in. */
  | { readonly type: 'batch-returned'; readonly batchId: string }
  | { readonly type: 'cancel-intent'; readonly batchId: string }
  | { readonly type: 'cancel-done'; readonly batchId: string; readonly status: string }
  | {
      readonly type: 'response-recorded';
      readonly file: string;
      readonly batchId: string;
      readonly bytes: number;
      readonly lines: number;
      readonly sha256: string;
      /** The batch's `created_at`: picks the price of the day where an answer names no date. */
      readonly createdSeconds: number;
    }
  /** These live calls may leave from now on: one without a line, a refusal or an `unknown` after it may have been billed. */
  | {
      readonly type: 'call-intent';
      readonly calls: readonly AnnouncedCall[];
      readonly controls?: PromptControls;
      readonly terms?: PriceTerms;
    }
  /** The same for calls that other processes make: they go on when this one ends, so that only their queue can tell what became of them. */
  | {
      readonly type: 'call-queued';
      readonly calls: readonly AnnouncedCall[];
      readonly controls?: PromptControls;
      readonly terms?: PriceTerms;
    }
  /** Announced calls that are known to have cost nothing. */
  | { readonly type: 'call-refused'; readonly refusals: readonly { readonly customId: string; readonly code: string }[] }
  /** Announced calls that may have been billed, and whose answers will not come. `isInterruption`: an end of our own process ended them. */
  | {
      readonly type: 'call-unknown';
      readonly calls: readonly AnnouncedCall[];
      readonly why: string;
      readonly isInterruption?: boolean;
    }
  /** The next part of a live response file: its bytes from `offsetBytes` on, where the part before it ends. */
  | {
      readonly type: 'live-recorded';
      readonly file: string;
      readonly offsetBytes: number;
      readonly bytes: number;
      readonly lines: number;
      readonly sha256: string;
      /** When the part was begun: picks the price of the day where an answer names no date. */
      readonly createdSeconds: number;
    }
  /**
   * Everything the batch had to give is in `responses/`; `missing` of its shard's requests are in neither file. `missingBytes` are those of
   * their lines in the input file, absent when that is gone, and in logs of before 2026-11-29.
   */
  | {
      readonly type: 'batch-collected';
      readonly batchId: string;
      readonly status: string;
      readonly missing: readonly string[];
      readonly missingBytes?: number;
      /** The batch was ended early, and its own counts say that the missing ones were not executed. */
      readonly isMissingUnexecuted?: boolean;
      readonly rejected: readonly RejectedRequest[];
      /** The batch object's own usage, for the cross-check; null where the provider gives none. */
      readonly usage: unknown;
      /** Ids of its output and error files at the provider, as far as they were taken whole; absent in logs of before 2026-11-29. */
      readonly fileIds?: readonly string[];
    }
  /** A batch another program made: its answers to what our rows ask follow under our ids. `sources`: sha256 of its files as they came. */
  | {
      readonly type: 'batch-imported';
      readonly batchId: string;
      readonly requests: number;
      readonly matched: number;
      readonly foreign: number;
      readonly sources: readonly string[];
    }
  /** These files of ours are at the provider no more: `clean --remote` removed them, or found them gone. */
  | { readonly type: 'files-removed'; readonly fileIds: readonly string[] }
  /** Of these recorded files only what was billed is kept, in a file of another name; the answers are gone once the file itself is. */
  | { readonly type: 'answers-removed'; readonly parts: readonly RemovedPart[] };

/** What `address-learned` says where a simulator answers: beside the names of forms. */
export const SIMULATOR = { name: 'simulator', form: 'answers' } as const;

/** A recorded response file, or a part of a live one, and where what is kept of it lies. */
export interface RemovedPart {
  /** As it was recorded. */
  readonly file: string;
  readonly offsetBytes: number;
  readonly kept: {
    readonly file: string;
    readonly offsetBytes: number;
    readonly bytes: number;
    readonly lines: number;
    readonly sha256: string;
  };
}

/**
 * The control characters that stand in the prompts of first askings, by custom id; ids whose prompts hold none are left out. Answers are judged
 * by it when the prompts are gone. Absent in events of versions that did not look: then nothing is known of any prompt.
 */
export type PromptControls = Readonly<Record<string, string>>;

/**
 * What bounds the price of requests besides their sizes, as it was when they were announced: each of them goes by one of these. Prices are not
 * among it: they are a view. Absent in events of before 2026-11-30: then the job as it is now has to do.
 */
export type PriceTerms = readonly PriceTerm[];

export interface PriceTerm {
  readonly model: string;
  /** The service tier that is asked for; null for the default one. */
  readonly tier: string | null;
  /** The most tokens one output cap allows, all votes together; null where nothing limits them that is known. */
  readonly answerTokens: number | null;
  /** In each request. */
  readonly images: number;
}

/** A live call, with what an upper bound of its price needs. */
export interface AnnouncedCall {
  readonly customId: string;
  readonly bodyBytes: number;
}

/** A request the provider's validation refused; it was not executed and not billed. */
export interface RejectedRequest {
  readonly customId: string;
  readonly code: string;
  readonly message: string;
}

/** An event as it lies on disk. `synced`: the last event that was on the disk before this one was written; absent in what early versions wrote. */
export type StoredEvent = Event & { readonly seq: number; readonly at: string; readonly synced?: number };
