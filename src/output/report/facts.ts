import type { LaneName } from '../../core/settled.ts';
import type { Summary } from '../../core/summary.ts';

/**
 * Everything a report shows besides the text of rows: what `runs/<run>/report.json` keeps, so that the report of an earlier run can be made
 * again. It holds figures, names and places, never what a cell, a prompt or an answer says. What there is nothing to say about is null or empty.
 */
export interface ReportFacts {
  readonly schema: 'rowmill.report/1';
  readonly summary: Summary;
  readonly description: string | null;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly budgetNanoUsd: number | null;
  /** What the provider's prompt cache saved: cached and written tokens at the input price, less what they cost; negative where writes cost more. */
  readonly cacheSavedNanoUsd: number;
  /** Who answered, by model as reported; the dearest first. */
  readonly models: readonly ModelShare[];
  /** Over the rows that were asked in this run; null when none was. */
  readonly rowFigures: RowFigures | null;
  /** Of live calls; null without one. */
  readonly calls: CallFigures | null;
  /** The batches of the run, in the order in which they were created. */
  readonly batches: readonly BatchTimeline[];
  /** When answers came in; null when none did. */
  readonly tempo: Tempo | null;
  readonly causes: readonly CauseFacts[];
  /** What to type for more; absent in what earlier versions kept, and where nobody types commands. */
  readonly commands?: ReportCommands;
  /** What was told while the run worked, its earlier invocations included. */
  readonly warnings: WarningFacts;
  /** Of the answers in the table, for every field with a closed set of values. */
  readonly fields: readonly FieldFacts[];
  /** Rows worth a look, in the order in which they are shown. */
  readonly samples: readonly SampleFacts[];
  /** The last runs that kept a summary, the oldest first, this one included. */
  readonly runs: readonly RunPoint[];
  readonly provenance: Provenance;
}

/** Attempts that one model answered; `model` is null for those nobody answered for good. */
export interface ModelShare {
  readonly model: string | null;
  readonly rows: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly nanoUsd: number;
  /** Rows whose cost is not known; absent where there are none. */
  readonly unpricedRows?: number;
}

/** A set of numbers in few: exact below 512, else within 0.4 %; `max` and `mean` are exact. */
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
  /** How many numbers lie beyond the last bar; absent in what earlier versions kept: there the last bar holds them. */
  readonly beyond?: number;
}

export interface RowFigures {
  readonly inputTokens: Spread;
  readonly outputTokens: Spread;
  /** In nano-dollars, over the rows whose cost is known; null when none is. */
  readonly cost: Spread | null;
  readonly costHistogram: Histogram | null;
}

/** Milliseconds: `wait` from being handed to the lane to leaving, `call` from leaving to the answer. */
export interface CallFigures {
  readonly wait: Spread;
  readonly call: Spread;
  readonly callHistogram: Histogram;
}

/** A batch's way, phase by phase. */
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
  /** The account's limits as the job gives them; null is unknown. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

export interface TempoStep {
  readonly answers: number;
  readonly tokens: number;
  /** Calls refused because they came too fast. */
  readonly rateLimited: number;
}

export interface CauseFacts {
  readonly cause: string;
  readonly status: 'failed' | 'skipped';
  readonly rows: number;
  /** What to type to try these rows again; null for rows that were never sent. */
  readonly retry: string | null;
}

export interface ReportCommands {
  /** Lists what failed; takes `--csv PATH`. */
  readonly failures: string;
  /** Draws rows to be labelled by hand, which `eval` then compares with the answers. */
  readonly sample?: string;
}

/** Warnings, each different one once. They name labels, batches and counts, never what a row says. */
export interface WarningFacts {
  /** In the order in which they were told; as many as are kept at most. */
  readonly messages: readonly string[];
  /** How many were told beyond these. */
  readonly more: number;
}

/** How often each value of a field occurs. */
export interface FieldFacts {
  readonly field: string;
  readonly values: readonly ValueCount[];
  /** The run `previousRows` are from; null when no earlier run had this field. */
  readonly previousRun: string | null;
}

export interface ValueCount {
  readonly value: string;
  readonly rows: number;
  /** The part of them that was asked in this run; absent in what early versions kept. */
  readonly newRows?: number;
  /** Of the run before; null without one. */
  readonly previousRows: number | null;
}

/** The answers of one field compared with what is known to be right: the part of an evaluation that a report shows. Shares are 0..1. */
export interface QualityFacts {
  readonly field: string;
  readonly gold: { readonly name: string };
  /** Rows with a right answer; those without an answer count as wrong. */
  readonly rows: { readonly evaluated: number; readonly answered: number };
  readonly accuracy: number;
  readonly macroF1: number;
  readonly intervals: { readonly accuracy: { readonly low: number; readonly high: number } };
  /** By label; a ratio without cases is null. */
  readonly perClass: Readonly<
    Record<string, { readonly support: number; readonly precision: number | null; readonly recall: number | null; readonly f1: number }>
  >;
  /** Right answer -> given answer -> rows, of the rows with an answer. */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
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
  /** Of a row that failed or was skipped. */
  readonly cause: string | null;
  /** Of an ok row. */
  readonly source: string | null;
  readonly attempts: number;
  readonly model: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: number | null;
  /** How long its call took; null where that is not known. */
  readonly callMs: number | null;
}

/** What a sampled row says, cut to a bounded length. */
export interface SampleText {
  readonly id: string;
  /** Why it failed or was skipped; null when ok. */
  readonly message: string | null;
  /** The checked answer as JSON, or the text itself; null without one. */
  readonly answer: string | null;
  readonly prompt: readonly { readonly role: string; readonly text: string }[];
  /** What the model said, as it came; null when it said nothing. */
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
  /** Attempts without a known cost; absent where there are none. */
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
