import type { PriceTerms } from '../../core/event.ts';
import type { RowSelection } from '../../core/row.ts';
import type { LaneName } from '../../core/settled.ts';

/** What the events say so far. A view: it changes as events are appended. */
export interface LedgerFold {
  /** The directory's random id, its latest one where it was adopted; empty before the first event. */
  readonly state: string;
  readonly format: number;
  readonly origin: string;
  /** The number of the latest event; 0 before the first. */
  readonly seq: number;
  readonly shards: ReadonlyMap<string, ShardState>;
  readonly batches: ReadonlyMap<string, BatchState>;
  /** Files of answers other programs made that were taken in: by their sha256 as they came, the id of the batch. */
  readonly imported: ReadonlyMap<string, string>;
  /** Enqueued-token limits the provider told, by model. */
  readonly learnedLimits: ReadonlyMap<string, number>;
  /** The same in requests. */
  readonly learnedRequestLimits: ReadonlyMap<string, number>;
  /** Whether what steers the prompt cache is taken, by lane and model (makeCacheOptionKey); what is missing is not known. */
  readonly cacheOptions: ReadonlyMap<string, boolean>;
  /** What base URLs turned out to want in another form: by base URL, then by the name of the form. */
  readonly learnedForms: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Those that were refused before anything came of them are left out. */
  readonly runs: readonly RunState[];
  /** When a run last did something; when the state was created, before the first. Runs that were refused do not count. */
  readonly activeAt: string;
  /** The run that was started and has not ended; null between runs. */
  readonly currentRun: RunState | null;
  /** The latest deadline of a run; null before the first. */
  readonly deadline: DeadlineState | null;
  /** Counts `--fresh`: answers of older generations are money only. */
  readonly generation: number;
  /** The run that was open when the generation began; null for the first generation. */
  readonly generationRun: string | null;
  /** The number of run-started and retry-opened events: attempts are counted within one attempt epoch. */
  readonly attemptEpoch: number;
  /** The attempt epoch the latest retry-opened event began; 0 without one. */
  readonly lastRetryEpoch: number;
  /** The run in force in each attempt epoch, by attempt epoch; empty before the first run. */
  readonly epochRuns: readonly string[];
  /** Attempts that ended without a line of their own, by run: refused in validation, or lost with their batch. */
  readonly answerlessAttempts: ReadonlyMap<string, AnswerlessAttempts>;
  /** Live calls that were announced and have no end yet, by custom id. */
  readonly openCalls: ReadonlyMap<string, OpenCall>;
  /** The same of calls that other processes make. */
  readonly queuedCalls: ReadonlyMap<string, OpenCall>;
  /** Creates that no look found, by shard and number: they may have happened. One whose batch surfaced is not among them any more. */
  readonly absentCreates: ReadonlyMap<string, AbsentCreate>;
  /** Live calls that may have been billed without an answer, by run. */
  readonly unknownCalls: ReadonlyMap<string, UnknownCalls>;
  /** The same by the month in which they were announced, `2026-11`. */
  readonly unknownCallsOfMonths: ReadonlyMap<string, UnknownCalls>;
  /** What `retry --set` gave, by key; only for keys reopened with a set. */
  readonly retrySets: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

/** The name in `cacheOptions`. */
export function makeCacheOptionKey(lane: LaneName, model: string): string {
  return `${lane} ${model}`;
}

/** When a run is to be done, and whether it has left the batch lane for that. */
export interface DeadlineState {
  readonly run: string;
  readonly afterMs: number;
  readonly at: string;
  /** Null while batches have time. */
  readonly switchedAt: string | null;
}

export interface AnswerlessAttempts {
  readonly rejected: number;
  readonly unknown: number;
}

export interface OpenCall {
  /** How often it was announced without an end. */
  readonly calls: number;
  readonly bodyBytes: number;
  /** When it was announced, the last time. */
  readonly announcedAt: string;
  /** As it was announced with, the last time; null where that was not kept. */
  readonly terms: PriceTerms | null;
}

export interface UnknownCalls {
  readonly calls: number;
  /** Custom ids of the first of them. */
  readonly named: readonly string[];
  /** What an upper bound of their price needs, by the day and the terms with which they were announced. */
  readonly sent: readonly UnknownAmount[];
}

export interface UnknownAmount {
  /** When the first of them was announced. */
  readonly at: string;
  readonly terms: PriceTerms | null;
  readonly calls: number;
  readonly bodyBytes: number;
  readonly longestBytes: number;
  /** As countAnswerCaps counts them. */
  readonly answerCaps: number;
}

/** A create without a trace: the batch it may have made would answer its shard's requests. */
export interface AbsentCreate extends Pick<ShardState, 'rows' | 'bytes' | 'longestBytes' | 'answerCaps' | 'terms'> {
  readonly shard: string;
  /** The number of the create. */
  readonly attempt: number;
  /** How often it was looked for. */
  readonly looks: number;
  /** In force when it was sent. */
  readonly run: string;
  readonly sentAt: string;
}

export type ShardStatus = 'written' | 'uploading' | 'uploaded' | 'creating' | 'create-unknown' | 'submitted' | 'collected' | 'retired';

/** A local input file and how far it has come. */
export interface ShardState {
  readonly id: string;
  readonly number: number;
  readonly rows: number;
  readonly bytes: number;
  /** Of its longest line; where that was not written down, of all. */
  readonly longestBytes: number;
  readonly tokens: number;
  /** Over its requests, as countAnswerCaps counts them. */
  readonly answerCaps: number;
  /** As it was written with; null where that was not kept. */
  readonly terms: PriceTerms | null;
  /** Its lines that try out whether batches take what steers the prompt cache; mostly none. */
  readonly probe: readonly string[];
  readonly model: string;
  readonly url: string;
  readonly sha256: string;
  /** The run, attempt epoch and generation in force at its latest create-intent; before the first one, when it was written. */
  readonly run: string;
  readonly attemptEpoch: number;
  readonly generation: number;
  readonly status: ShardStatus;
  readonly uploadIntentAt: string | null;
  readonly filename: string | null;
  readonly fileId: string | null;
  /** The number of the latest create-intent; 0 before the first. */
  readonly createAttempt: number;
  readonly createIntentAt: string | null;
  /** The id the directory had then, which its batch carries. */
  readonly createState: string | null;
  /** The batch it became; null again when that batch was refused. */
  readonly batchId: string | null;
  readonly keyFingerprint: string | null;
  /** Why the latest create was refused; null when it was not. */
  readonly refusedCode: string | null;
}

/** A remote batch we know of. */
export interface BatchState {
  readonly id: string;
  /** The shard it was made from; null when that is not known. */
  readonly shard: string | null;
  /** As last seen; `validating` before the first look. */
  readonly status: string;
  /** Nobody waits for it: what it finished is money only. */
  readonly isExtra: boolean;
  /** Nothing is left to fetch; of a lost batch: nothing could be fetched, and it may come back. */
  readonly isCollected: boolean;
  /** It was lost once, and came back. */
  readonly hasReturned: boolean;
  /** The batch object's own usage, as it came; null before it is collected, and where the provider gives none. */
  readonly usage: unknown;
  /** Requests in none of its files. */
  readonly missing: number;
  /** Of their lines in the input file; null when that is not known. */
  readonly missingBytes: number | null;
  /** Over them, as countAnswerCaps counts them. */
  readonly missingCaps: number;
  /** Whether the batch's own counts say that they were not executed. */
  readonly isMissingUnexecuted: boolean;
  /** Custom ids of the first of them. */
  readonly missingNamed: readonly string[];
  readonly submittedAt: string;
  /** When the create that made it was announced; where that is not known, when it was first seen. */
  readonly announcedAt: string;
  readonly adopted: boolean;
  readonly keyFingerprint: string | null;
  readonly run: string;
  readonly attemptEpoch: number;
  readonly generation: number;
}

export interface RunState {
  readonly id: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  readonly simulated: boolean;
  /** Where its requests went at first; null where that was not kept. */
  readonly lane: 'batch' | 'live' | null;
  /** The day its table is named by; absent where it is not. */
  readonly date?: string;
  /** What it was about when it began; absent for all rows. */
  readonly selection?: RowSelection;
  /** What it was expected to cost when it began, or when more was last opened in it; null when a price is unknown. */
  readonly estimateNanoUsd: number | null;
}
