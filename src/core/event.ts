import type { RowSelection } from './row.ts';
import type { RunCommand } from './run-command.ts';
import type { LaneName } from './settled.ts';

/**
 * The lifecycle events of runs and batches: the content of `events.jsonl`, one per line, in the order in which they happened.
 * Instants are ISO strings. The order "intent, effect, outcome" ensures that nothing is paid twice unnoticed.
 */
export type Event =
  /** `version` is that of the program; absent in the first versions. */
  | {
      readonly type: 'state-created';
      readonly state: string;
      readonly format: number;
      readonly version?: string;
      readonly origin: string;
    }
  /** The directory is a copy of one with another id: from here on it is a separate state, with this id. */
  | { readonly type: 'state-adopted'; readonly state: string }
  /** Written by a later version before its first other event: events of that version follow. */
  | { readonly type: 'format-raised'; readonly format: number; readonly version: string }
  /**
   * `estimateNanoUsd`: the expected cost of the whole run when it started; `lane`: the first lane of its rows, absent in early
   * versions; `date`: the day in the name of its table, if any.
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
      /** Of `retry --cause`: what failed in passing for other causes is left alone; absent for every other run. */
      readonly causes?: readonly string[];
      /** Absent in what earlier versions wrote. */
      readonly command?: RunCommand;
      readonly estimateNanoUsd: number | null;
    }
  /** The run has to be done by `deadlineAt`, `afterMs` after it first saw the flag. */
  | { readonly type: 'deadline-set'; readonly run: string; readonly afterMs: number; readonly deadlineAt: string }
  /** The run's time for batches is over: no more are created, existing ones are cancelled, and the rest is finished live. */
  | { readonly type: 'lane-switched'; readonly run: string }
  /** With exit code 2 or 4 the run was refused before it achieved anything, and does not count as a run. */
  | { readonly type: 'run-ended'; readonly run: string; readonly exitCode: number }
  /** `estimateNanoUsd` here and in `retry-opened`: the expected cost of the whole run from now on; absent in early versions. */
  | { readonly type: 'generation-started'; readonly generation: number; readonly estimateNanoUsd?: number | null }
  /** Rows the user wants retried; `set` holds the parameters of `retry --set`. */
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
      /** Of the longest line; absent in events of versions that did not measure it. */
      readonly longestBytes?: number;
      /** Estimated prompt tokens of all requests. */
      readonly tokens: number;
      readonly sha256: string;
      readonly model: string;
      readonly url: string;
      readonly customIds: readonly string[];
      /** Its lines that test whether batches accept the prompt cache settings; absent if there are none. */
      readonly probe?: readonly string[];
      readonly controls?: PromptControls;
      readonly terms?: PriceTerms;
    }
  | { readonly type: 'shard-retired'; readonly shard: string; readonly why: string }
  /** Whether an address accepts the prompt cache settings, by model and lane: only a batch is evidence for batches. */
  | { readonly type: 'cache-option-learned'; readonly model: string; readonly lane: LaneName; readonly isTaken: boolean }
  | { readonly type: 'limit-learned'; readonly model: string; readonly enqueuedTokens: number }
  /** The same limit for an account that counts requests. */
  | { readonly type: 'request-limit-learned'; readonly model: string; readonly enqueuedRequests: number }
  /** Something this base URL needs in another form than OpenAI: `name` and `form` of `Forms` in src/openai/forms.ts. */
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
  /** No search found the batch of this create. It may exist anyway: `batch-extra` says so when it appears. */
  | { readonly type: 'create-absent'; readonly shard: string; readonly attempt: number; readonly looks: number }
  | { readonly type: 'batch-status'; readonly batchId: string; readonly status: string }
  /**
   * A batch of ours that no shard waits for: `shard` is the shard it repeats, null if unknown; `attempt` the create that made it, absent
   * if unknown.
   */
  | { readonly type: 'batch-extra'; readonly batchId: string; readonly shard: string | null; readonly attempt?: number }
  /** A batch that was collected as lost has reappeared: its results are still to be collected. */
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
      /** The batch's `created_at`: the day of its prices if an answer has no date. */
      readonly createdSeconds: number;
    }
  /** These live calls may leave from now on: one without a later line, refusal or `unknown` may have been billed. */
  | {
      readonly type: 'call-intent';
      readonly calls: readonly AnnouncedCall[];
      readonly controls?: PromptControls;
      readonly terms?: PriceTerms;
    }
  /** The same for calls made by other processes: they continue when this one ends, so only their queue knows what became of them. */
  | {
      readonly type: 'call-queued';
      readonly calls: readonly AnnouncedCall[];
      readonly controls?: PromptControls;
      readonly terms?: PriceTerms;
    }
  /** Announced calls that are known to have cost nothing. */
  | { readonly type: 'call-refused'; readonly refusals: readonly { readonly customId: string; readonly code: string }[] }
  /** Announced calls that may have been billed, and whose answers will not arrive. `isInterruption`: our own process ended during them. */
  | {
      readonly type: 'call-unknown';
      readonly calls: readonly AnnouncedCall[];
      readonly why: string;
      readonly isInterruption?: boolean;
    }
  /** The next part of a live response file: its bytes from `offsetBytes` on, where the previous part ends. */
  | {
      readonly type: 'live-recorded';
      readonly file: string;
      readonly offsetBytes: number;
      readonly bytes: number;
      readonly lines: number;
      readonly sha256: string;
      /** When the part was started: the day of its prices if an answer has no date. */
      readonly createdSeconds: number;
    }
  /**
   * All results of the batch are in `responses/`; `missing` requests of its shard are in neither file. `missingBytes` are those of
   * their lines in the input file; absent if that is gone, and in logs from before 2026-11-29.
   */
  | {
      readonly type: 'batch-collected';
      readonly batchId: string;
      readonly status: string;
      readonly missing: readonly string[];
      readonly missingBytes?: number;
      /** The batch ended early, and its own counts show that the missing requests were not executed. */
      readonly isMissingUnexecuted?: boolean;
      readonly rejected: readonly RejectedRequest[];
      /** The usage of the batch object, for the cross-check; null if the provider gives none. */
      readonly usage: unknown;
      /** Ids of its output and error files at the provider, if downloaded completely; absent in logs from before 2026-11-29. */
      readonly fileIds?: readonly string[];
    }
  /** A batch created by another program: its answers to our requests follow under our ids. `sources`: sha256 of its original files. */
  | {
      readonly type: 'batch-imported';
      readonly batchId: string;
      readonly requests: number;
      readonly matched: number;
      readonly foreign: number;
      readonly sources: readonly string[];
    }
  /** These files of ours are no longer at the provider: `clean --remote` removed them, or found them gone. */
  | { readonly type: 'files-removed'; readonly fileIds: readonly string[] }
  /** Of these recorded files only the billing data is kept, in a file of another name; the answers are gone once the file itself is. */
  | { readonly type: 'answers-removed'; readonly parts: readonly RemovedPart[] };

/** What `address-learned` records if a simulator answers, in place of the name of a form. */
export const SIMULATOR = { name: 'simulator', form: 'answers' } as const;

/** A recorded response file, or a part of a live one, and where its remaining data is. */
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
 * The control characters in the prompts of first requests, by custom id; ids whose prompts have none are left out. Answers are judged
 * by it when the prompts are gone. Absent in events of versions that did not record it: then nothing is known about any prompt.
 */
export type PromptControls = Readonly<Record<string, string>>;

/**
 * What bounds the price of requests besides their sizes, as of their announcement; one of these applies to each request. Prices are not
 * included: they are a view. Absent in events from before 2026-11-30, for which the current job is used.
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

/** A request refused by the provider's validation; it was not executed and not billed. */
export interface RejectedRequest {
  readonly customId: string;
  readonly code: string;
  readonly message: string;
}

/** An event as stored on disk. `synced`: the last event that was on disk before this one was written; absent in early versions. */
export type StoredEvent = Event & { readonly seq: number; readonly at: string; readonly synced?: number };
