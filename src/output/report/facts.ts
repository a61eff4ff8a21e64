import type { WrongRow } from '../../core/quality.ts';
import type { LaneName } from '../../core/settled.ts';
import type { Summary } from '../../core/summary.ts';

/**
 * Everything a report shows except the text of rows: the content of `runs/<run>/report.json`, so that the report of an earlier run can be made
 * again. It holds figures, names and places, never the content of a cell, a prompt or an answer. Fields without content are null or empty.
 */
export interface ReportFacts {
  readonly schema: 'rowmill.report/1';
  readonly summary: Summary;
  readonly description: string | null;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly budgetNanoUsd: number | null;
  /** What the provider's prompt cache saved: cached and written tokens at the input price, minus what they cost; negative if writes cost more. */
  readonly cacheSavedNanoUsd: number;
  /** The models that answered, as reported; the most expensive first. */
  readonly models: readonly ModelShare[];
  /** Over the rows that were sent in this run; null if none was. */
  readonly rowFigures: RowFigures | null;
  /** For live calls; null without any. */
  readonly calls: CallFigures | null;
  /** The batches of the run, in the order in which they were created. */
  readonly batches: readonly BatchTimeline[];
  /** When answers arrived; null if none did. */
  readonly tempo: Tempo | null;
  readonly causes: readonly CauseFacts[];
  /** Commands for more; absent in early versions, and if nobody types commands. */
  readonly commands?: ReportCommands;
  /** Warnings during the run, including its earlier invocations. */
  readonly warnings: WarningFacts;
  /** For the answers in the table, for every field with a closed set of values. */
  readonly fields: readonly FieldFacts[];
  /** Interesting rows, in the order in which they are shown. */
  readonly samples: readonly SampleFacts[];
  /** The last runs with a summary, oldest first, including this one. */
  readonly runs: readonly RunPoint[];
  readonly provenance: Provenance;
}

/** Attempts that one model answered; `model` is null for those without a usable answer. */
export interface ModelShare {
  readonly model: string | null;
  readonly rows: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly nanoUsd: number;
  /** Rows of unknown cost; absent if there are none. */
  readonly unpricedRows?: number;
}

/** A summary of a set of numbers: exact below 512, else within 0.4 %; `max` and `mean` are exact. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Bars of equal width from `from` on. */
export interface Histogram {
  readonly from: number;
  readonly width: number;
  readonly counts: readonly number[];
  /** How many numbers lie beyond the last bar; absent in early versions: there the last bar contains them. */
  readonly beyond?: number;
}

export interface RowFigures {
  readonly inputTokens: Spread;
  readonly outputTokens: Spread;
  /** In nano-dollars, over the rows of known cost; null if there are none. */
  readonly cost: Spread | null;
  readonly costHistogram: Histogram | null;
}

/** Milliseconds: `wait` from being handed to the lane until the call leaves, `call` from leaving to the answer. */
export interface CallFigures {
  readonly wait: Spread;
  readonly call: Spread;
  readonly callHistogram: Histogram;
}

/** The course of a batch, phase by phase. */
export interface BatchTimeline {
  readonly id: string;
  readonly requests: number;
  readonly status: string;
  readonly phases: readonly Phase[];
}

export interface Phase {
  readonly name: 'upload' | 'validating' | 'in progress' | 'finalizing' | 'collecting';
  readonly fromAt: string;
  readonly toAt: string;
}

/** Answers over time, in steps of equal length. */
export interface Tempo {
  readonly lane: LaneName;
  readonly fromAt: string;
  readonly stepMs: number;
  readonly steps: readonly TempoStep[];
  /** The account's limits as given in the job; null is unknown. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

export interface TempoStep {
  readonly answers: number;
  readonly tokens: number;
  /** Calls refused because they were too fast. */
  readonly rateLimited: number;
}

export interface CauseFacts {
  readonly cause: string;
  readonly status: 'failed' | 'skipped';
  readonly rows: number;
  /** The command that retries these rows; null for rows that were never sent. */
  readonly retry: string | null;
}

export interface ReportCommands {
  /** Lists what failed; takes `--csv PATH`. */
  readonly failures: string;
  /** Samples rows for labelling by hand, which `eval` then compares with the answers. */
  readonly sample?: string;
}

/** Warnings, each different one once. They name labels, batches and counts, never row text. */
export interface WarningFacts {
  /** In the order in which they occurred, up to a maximum. */
  readonly messages: readonly string[];
  /** How many there were beyond these. */
  readonly more: number;
}

/** How often each value of a field occurs. */
export interface FieldFacts {
  readonly field: string;
  readonly values: readonly ValueCount[];
  /** The run `previousRows` are from; null if no earlier run had this field. */
  readonly previousRun: string | null;
}

export interface ValueCount {
  readonly value: string;
  readonly rows: number;
  /** The part of them that was sent in this run; absent in early versions. */
  readonly newRows?: number;
  /** Of the previous run; null without one. */
  readonly previousRows: number | null;
}

/** The answers of one field compared with gold labels: the part of an evaluation shown in a report. Shares are 0..1. */
export interface QualityFacts {
  readonly field: string;
  readonly gold: { readonly name: string };
  /** Rows with a gold label; those without an answer count as wrong. */
  readonly rows: { readonly evaluated: number; readonly answered: number; readonly correct: number };
  readonly accuracy: number;
  readonly macroF1: number;
  readonly intervals: { readonly accuracy: { readonly low: number; readonly high: number } };
  /** By label; a ratio without cases is null. */
  readonly perClass: Readonly<
    Record<string, { readonly support: number; readonly precision: number | null; readonly recall: number | null; readonly f1: number }>
  >;
  /** Gold label -> answer -> rows, for the rows with an answer. */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The first rows that were answered wrongly, or not at all. */
  readonly wrong: readonly WrongRow[];
}

/** A row picked for the report, without its text. */
export interface SampleFacts {
  /** From 1. */
  readonly row: number;
  readonly file: string;
  readonly line: number;
  readonly key: string | null;
  readonly why: 'failed' | 'dearest' | 'slowest' | 'random';
  readonly status: 'ok' | 'failed' | 'skipped' | 'pending';
  /** For a row that failed or was skipped. */
  readonly cause: string | null;
  /** For an ok row. */
  readonly source: string | null;
  readonly attempts: number;
  readonly model: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: number | null;
  /** How long its call took; null if unknown. */
  readonly callMs: number | null;
}

/** The text of a sampled row, cut to a bounded length. */
export interface SampleText {
  readonly id: string;
  /** Why it failed or was skipped; null if ok. */
  readonly message: string | null;
  /** The checked answer as JSON, or the text itself; null without one. */
  readonly answer: string | null;
  readonly prompt: readonly { readonly role: string; readonly text: string }[];
  /** The model's text as received; null if there was none. */
  readonly raw: string | null;
}

/** One run of the trend. */
export interface RunPoint {
  readonly run: string;
  readonly startedAt: string;
  readonly exitCode: number;
  readonly verdict: string;
  readonly rows: Pick<Summary['rows'], 'in' | 'ok' | 'failed' | 'skipped' | 'pending' | 'new'>;
  readonly nanoUsd: number;
  /** Attempts of unknown cost; absent if there are none. */
  readonly unpricedAttempts?: number;
}

/** Where the figures come from. */
export interface Provenance {
  readonly jobText: string;
  /** Hex. */
  readonly jobSha256: string;
  readonly jobFile: string | null;
  readonly inputs: readonly string[];
  readonly rowmill: string;
  readonly node: string;
  readonly modelRequested: string;
  readonly origin: string;
  /** Id of the state directory. */
  readonly state: string;
}
