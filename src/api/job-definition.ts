import type { Endpoint, Mode, StopSign } from '../core/job.ts';
import type { Cause } from '../core/outcome.ts';
import type { SkipCause } from '../core/row.ts';

/** The cells of a row by column, as text: what `{{ column }}` would show in a template. */
export type RowOf<Column extends string> = Readonly<Record<Column, string>>;

/** What a prompt function says about a row: the user message, or the messages with their roles. Null skips the row as empty. */
export type Prompt = string | PromptParts | null;

export interface PromptParts {
  readonly system?: string;
  readonly user?: string;
  /** Web addresses, data URLs, or paths below the job's directory. */
  readonly images?: readonly (string | { readonly url: string; readonly detail?: 'low' | 'high' | 'auto' })[];
}

/**
 * A job, with the keys of a job file; `rowmill schema` describes each. What differs: `prompt` may be a function, `output` may be a schema of a
 * validation library, and `directory` says what relative paths mean.
 */
export interface JobDefinition<Column extends string, Output, Label extends string> {
  /** Names the state directory, `.rowmill/<name>/` in `directory`. */
  readonly name: string;
  readonly description?: string;
  /** What relative paths are relative to, and where the state lies; the working directory without it. */
  readonly directory?: string;
  readonly input: InputDefinition<Column>;
  readonly model: string;
  readonly endpoint?: Endpoint;
  readonly mode?: Mode;
  /** Templates as in a job file, or a function of the row. A function must say the same of the same row: its text is what an answer is found by. */
  readonly prompt: string | PromptParts | ((row: RowOf<Column>) => Prompt);
  /** How many images a prompt function gives a row at most: a budget reserves what they can cost. Default 0. */
  readonly max_images?: number;
  /** A closed set of answers: names with descriptions, or a list of names. */
  readonly labels?: readonly Label[] | Readonly<Record<Label, string>>;
  readonly output: Output;
  /** Only beside templates: a prompt function can say its own. */
  readonly examples?: ExamplesDefinition<Column>;
  readonly params?: Params;
  readonly limits?: { readonly rpm?: number; readonly tpm?: number; readonly concurrency?: number; readonly enqueued_tokens?: number };
  readonly budget?: { readonly usd?: number; readonly usd_per_row?: number };
  readonly confirm_over?: number;
  /** Answers per request, of which the majority counts; odd. */
  readonly votes?: number;
  readonly confidence?: 'logprobs';
  readonly retry?: { readonly attempts?: number };
  readonly on_unknown?: 'retry' | 'hold';
  readonly dedupe?: boolean;
  readonly write?: {
    readonly path?: string;
    readonly keep?: 'all' | readonly NoInfer<Column>[];
    readonly prefix?: string;
    readonly excel?: boolean;
  };
  /** `"> 20% of first 200"`, `"> 20%"` or a count. */
  readonly stop_if?: Readonly<Partial<Record<StopSign, string | number>>>;
  readonly pilot?: number;
  readonly fail_if?: { readonly failed_rows?: string | number; readonly skipped_rows?: string | number };
}

export interface InputDefinition<Column extends string> {
  /** A CSV, TSV, JSONL or JSON table, or a glob. */
  readonly path: string;
  /** The columns the table must have; they give rows their type. */
  readonly columns?: readonly Column[];
  /** The column, or columns, that identify a row. */
  readonly id?: NoInfer<Column> | readonly NoInfer<Column>[];
  readonly format?: 'csv' | 'tsv' | 'jsonl' | 'json';
  readonly delimiter?: string;
  readonly encoding?: string;
}

/** Rows shown to the model with their right answers. */
export interface ExamplesDefinition<Column extends string> {
  readonly path: string;
  /** The table's column for a column of the input, where the names differ. */
  readonly input?: Readonly<Partial<Record<NoInfer<Column>, string>>>;
  /** The table's column for a field of the answer, likewise. */
  readonly output?: Readonly<Record<string, string>>;
  readonly count?: number;
  readonly seed?: number;
  readonly holdout?: string;
}

/** Parameters of the request; only what stands here is sent. */
export interface Params {
  readonly max_output_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly seed?: number;
  readonly presence_penalty?: number;
  readonly frequency_penalty?: number;
  readonly reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  readonly verbosity?: 'low' | 'medium' | 'high';
  readonly prompt_cache?: 'auto' | 'explicit' | 'provider';
  readonly service_tier?: 'auto' | 'default' | 'flex' | 'priority' | 'fast';
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
  readonly dimensions?: number;
  readonly stop?: string | readonly string[];
  /** Put into the body as it stands: what a provider has of its own. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A row with its end. `costNanoUsd` is what its attempts in this run cost; null when a part of it has no known price. */
export type RowResult<Column extends string, Answer> = {
  readonly row: RowOf<Column>;
  /** Counts from 0 over all files of the input. */
  readonly index: number;
  readonly attempts: number;
  readonly costNanoUsd: number | null;
} & (
  | { readonly disposition: 'ok'; readonly output: Answer; readonly source: 'new' | 'reused' | 'duplicate' }
  | { readonly disposition: 'failed'; readonly output?: undefined; readonly cause: Cause; readonly message: string }
  | { readonly disposition: 'skipped'; readonly output?: undefined; readonly cause: SkipCause; readonly message: string }
  | { readonly disposition: 'pending'; readonly output?: undefined }
);
