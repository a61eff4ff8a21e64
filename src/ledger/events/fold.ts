import type { PriceTerms } from '../../core/event.ts';
import type { RowSelection } from '../../core/row.ts';
import type { RunCommand } from '../../core/run-command.ts';
import type { LaneName } from '../../core/settled.ts';

/** The state computed from the events so far. A view: it changes as events are appended. */
export interface LedgerFold {
  /** The directory's random id, the latest one if it was adopted; empty before the first event. */
  readonly state: string;
  readonly format: number;
  readonly origin: string;
  /** The number of the latest event; 0 before the first. */
  readonly seq: number;
  readonly shards: ReadonlyMap<string, ShardState>;
  readonly batches: ReadonlyMap<string, BatchState>;
  /** Imported answer files of other programs: the sha256 of the original -> the id of the batch. */
  readonly imported: ReadonlyMap<string, string>;
  /** Enqueued-token limits reported by the provider, by model. */
  readonly learnedLimits: ReadonlyMap<string, number>;
  /** The same in requests. */
  readonly learnedRequestLimits: ReadonlyMap<string, number>;
  /** Whether the prompt cache settings are accepted, by lane and model (makeCacheOptionKey); missing entries are unknown. */
  readonly cacheOptions: ReadonlyMap<string, boolean>;
  /** What base URLs want in another form: by base URL, then by the name of the form. */
  readonly learnedForms: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Runs that were refused before they achieved anything are left out. */
  readonly runs: readonly RunState[];
  /** When a run last did something; before the first run, when the state was created. Refused runs do not count. */
  readonly activeAt: string;
  /** The run that was started and has not ended; null between runs. */
  readonly currentRun: RunState | null;
  /** The latest deadline of a run; null before the first. */
  readonly deadline: DeadlineState | null;
  /** Counts `--fresh`: answers of older generations count only as cost. */
  readonly generation: number;
  /** The run that was open when the generation started; null for the first generation. */
  readonly generationRun: string | null;
  /** The number of run-started and retry-opened events: attempts are counted within one attempt epoch. */
  readonly attemptEpoch: number;
  /** The attempt epoch started by the latest retry-opened event; 0 without one. */
  readonly lastRetryEpoch: number;
  /** The run of each attempt epoch, by attempt epoch; empty before the first run. */
  readonly epochRuns: readonly string[];
  /** Attempts that ended without a line of their own, by run: refused in validation, or lost with their batch. */
  readonly answerlessAttempts: ReadonlyMap<string, AnswerlessAttempts>;
  /** Live calls that were announced and have no end yet, by custom id. */
  readonly openCalls: ReadonlyMap<string, OpenCall>;
  /** The same for calls made by other processes. */
  readonly queuedCalls: ReadonlyMap<string, OpenCall>;
  /** Creates that no search found, by shard and number: they may have happened. A create whose batch appeared is removed. */
  readonly absentCreates: ReadonlyMap<string, AbsentCreate>;
  /** Live calls that may have been billed without an answer, by run. */
  readonly unknownCalls: ReadonlyMap<string, UnknownCalls>;
  /** The same by the month in which they were announced, `2026-11`. */
  readonly unknownCallsOfMonths: ReadonlyMap<string, UnknownCalls>;
  /** The parameters of `retry --set`, by key; only for keys reopened with parameters. */
  readonly retrySets: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

/** The key in `cacheOptions`. */
export function makeCacheOptionKey(lane: LaneName, model: string): string {
  return `${lane} ${model}`;
}

/** When a run has to be done, and whether it has left the batch lane for that. */
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
  /** When it was last announced. */
  readonly announcedAt: string;
  /** As of its last announcement; null if not recorded. */
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
  /** How often it was searched for. */
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
  /** Of its longest line; if that was not recorded, of all. */
  readonly longestBytes: number;
  readonly tokens: number;
  /** Over its requests, as counted by countAnswerCaps. */
  readonly answerCaps: number;
  /** The terms it was written with; null if they were not kept. */
  readonly terms: PriceTerms | null;
  /** Its lines that test whether batches accept the prompt cache settings; usually none. */
  readonly probe: readonly string[];
  readonly model: string;
  readonly url: string;
  readonly sha256: string;
  /** The run, attempt epoch and generation at its latest create-intent; before the first one, when it was written. */
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
  /** The id of the directory at that time, which its batch carries. */
  readonly createState: string | null;
  /** The batch it became; null again if that batch was refused. */
  readonly batchId: string | null;
  readonly keyFingerprint: string | null;
  /** Why the latest create was refused; null if it was not. */
  readonly refusedCode: string | null;
}

/** A remote batch known to us. */
export interface BatchState {
  readonly id: string;
  /** The shard it was made from; null if unknown. */
  readonly shard: string | null;
  /** As last seen; `validating` before the first poll. */
  readonly status: string;
  /** No shard waits for it: what it finished counts only as cost. */
  readonly isExtra: boolean;
  /** Nothing is left to fetch; for a lost batch: nothing could be fetched, and it may reappear. */
  readonly isCollected: boolean;
  /** It was lost once, and reappeared. */
  readonly hasReturned: boolean;
  /** The usage of the batch object, as received; null before it is collected, and if the provider gives none. */
  readonly usage: unknown;
  /** Requests in none of its files. */
  readonly missing: number;
  /** Of their lines in the input file; null if unknown. */
  readonly missingBytes: number | null;
  /** Over them, as counted by countAnswerCaps. */
  readonly missingCaps: number;
  /** Whether the batch's own counts show that they were not executed. */
  readonly isMissingUnexecuted: boolean;
  /** Custom ids of the first of them. */
  readonly missingNamed: readonly string[];
  readonly submittedAt: string;
  /** When its create was announced; if unknown, when it was first seen. */
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
  /** The first lane of its requests; null if not recorded. */
  readonly lane: 'batch' | 'live' | null;
  /** The day in the name of its table; absent if there is none. */
  readonly date?: string;
  /** What it was about when it began; absent for all rows. */
  readonly selection?: RowSelection;
  /** The only causes after which it sends rows of earlier runs again; absent for all. */
  readonly causes?: readonly string[];
  /** What continues it, with the flags it began with; absent in what earlier versions wrote. */
  readonly command?: RunCommand;
  /** Its expected cost when it started, or when more was last opened in it; null if a price is unknown. */
  readonly estimateNanoUsd: number | null;
}
