import type { Endpoint, Mode, StopSign } from '../core/job.ts';
import type { Cause } from '../core/outcome.ts';
import type { SkipCause } from '../core/row.ts';

/** The cells of a row by column, as text: what `{{ column }}` would show in a template. */
export type RowOf<Column extends string> = Readonly<Record<Column, string>>;

/** The result of a prompt function for a row: the user message, or the messages with their roles. Null skips the row as empty. */
export type Prompt = string | PromptParts | null;

export interface PromptParts {
  readonly system?: string | undefined;
  readonly user?: string | undefined;
  /** Web addresses, data URLs, or paths below the job's directory. */
  readonly images?: readonly (string | { readonly url: string; readonly detail?: 'low' | 'high' | 'auto' | undefined })[] | undefined;
  /** Paths of PDF files, likewise. */
  readonly files?: readonly string[] | undefined;
}

/**
 * A job, with the keys of a job file; `rowmill schema` documents each. Differences: `prompt` may be a function, `output` may be a schema of a
 * validation library, and `directory` is the base of relative paths.
 */
export type JobDefinition<Column extends string, Output, Label extends string> = JobBasics<Column, Output, Label> &
  (
    | {
        /**
         * Templates as in a job file, or a function of the row. A function must be deterministic: an answer is found by its prompt. A returned
         * promise is awaited, each time the table is read.
         */
        readonly prompt: string | PromptParts | ((row: RowOf<Column>) => Prompt | PromiseLike<Prompt>);
        readonly messages?: undefined;
      }
    | {
        /** The whole list of messages, each a template as in a job file. */
        readonly messages: readonly Message[];
        readonly prompt?: undefined;
      }
  );

/** The columns of a row in a table of requests, before its answer. */
export type RequestColumn = 'custom_id' | 'url' | 'model';

/** A job over a file in the form of the Batch API, whose lines contain model, prompt and parameters. */
export interface RequestsDefinition<Output>
  extends Omit<
    JobBasics<RequestColumn, Output, never>,
    'input' | 'output' | 'mode' | 'model' | 'endpoint' | 'max_images' | 'labels' | 'examples' | 'params' | 'votes' | 'confidence'
  > {
  readonly input: RequestsInput;
  /** By default text. Others split answers into columns and validate them. */
  readonly output?: Output | undefined;
  readonly mode?: Exclude<Mode, 'flex'> | undefined;
}

export interface RequestsInput extends Pick<FileInput<RequestColumn>, 'path' | 'encoding' | 'skip_lines' | 'bad_rows' | 'where' | 'id'> {
  readonly format: 'requests';
}

export interface Message {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
}

/** A definition without its prompt. */
export interface JobBasics<Column extends string, Output, Label extends string> {
  /** Names the state directory, `.rowmill/<name>/` in `directory`. */
  readonly name: string;
  readonly description?: string | undefined;
  /** The base of relative paths, and the location of the state; by default the working directory. */
  readonly directory?: string | undefined;
  readonly input: InputDefinition<Column>;
  readonly model: string;
  readonly endpoint?: Endpoint | undefined;
  readonly mode?: Mode | undefined;
  /** How many images and files a prompt function returns for a row at most: a budget reserves their cost. Default 0. */
  readonly max_images?: number | undefined;
  /** A closed set of answers: names with descriptions, or a list of names. */
  readonly labels?: readonly Label[] | Readonly<Record<Label, string>> | undefined;
  readonly output: Output;
  /** Only with templates: a prompt function can include its own. */
  readonly examples?: ExamplesDefinition<Column> | undefined;
  readonly params?: Params | undefined;
  readonly limits?: LimitsDefinition | undefined;
  readonly budget?:
    | {
        readonly usd?: number | undefined;
        readonly usd_per_row?: number | undefined;
        readonly usd_per_month?: number | undefined;
        readonly usd_total?: number | undefined;
      }
    | undefined;
  readonly confirm_over?: number | undefined;
  /** Answers per request, of which the majority counts; odd. */
  readonly votes?: number | undefined;
  readonly confidence?: 'logprobs' | undefined;
  readonly retry?: { readonly attempts?: number | undefined } | undefined;
  readonly on_unknown?: 'retry' | 'hold' | undefined;
  readonly dedupe?: boolean | undefined;
  readonly write?:
    | {
        readonly path?: string | undefined;
        readonly keep?: 'all' | readonly NoInfer<Column>[] | undefined;
        readonly prefix?: string | undefined;
        readonly excel?: boolean | undefined;
        /** Between the cells of CSV: one character, or `tab`. */
        readonly delimiter?: string | undefined;
      }
    | undefined;
  /** `"> 20% of first 200"`, `"> 20%"` or a count. */
  readonly stop_if?: Readonly<Partial<Record<StopSign, string | number | undefined>>> | undefined;
  readonly pilot?: number | undefined;
  readonly fail_if?:
    | { readonly failed_rows?: string | number | undefined; readonly skipped_rows?: string | number | undefined }
    | undefined;
  /** Posted by every `run()`, after its table is written: takes at most four seconds more, and fails no run. */
  readonly notify?:
    | {
        readonly url_env: string;
        readonly form?: 'json' | 'slack' | 'ntfy' | undefined;
        readonly on?: readonly ('done' | 'failed' | 'stopped' | 'uncollected' | 'shifted')[] | undefined;
      }
    | undefined;
}

export interface LimitsDefinition {
  readonly rpm?: number | undefined;
  readonly tpm?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly enqueued_tokens?: number | undefined;
}

export type InputDefinition<Column extends string> = FileInput<Column> | DocumentsInput<Column> | RowsInput<Column>;

export interface FileInput<Column extends string> extends InputColumns<Column> {
  /** A table of any format, or a glob. */
  readonly path: string;
  readonly documents?: undefined;
  readonly rows?: undefined;
  readonly format?: 'csv' | 'tsv' | 'jsonl' | 'json' | 'parquet' | 'xlsx' | undefined;
  readonly delimiter?: string | undefined;
  readonly encoding?: string | undefined;
  readonly header?: boolean | undefined;
  readonly sheet?: string | undefined;
  readonly split?: SplitDefinition<Column> | undefined;
  readonly quote?: 'standard' | 'none' | undefined;
  readonly skip_lines?: number | undefined;
  readonly bad_rows?: 'refuse' | 'skip' | undefined;
}

/** One row per file, with the columns `path`, `name`, `bytes` and `text`. */
export interface DocumentsInput<Column extends string> extends InputColumns<Column> {
  /** Files, by a glob such as `inbox/*.{txt,md}`. */
  readonly documents: string;
  readonly path?: undefined;
  readonly rows?: undefined;
  readonly format?: 'documents' | undefined;
  readonly encoding?: string | undefined;
  readonly split?: SplitDefinition<Column> | undefined;
}

/** A column whose long texts are split into several rows, each with a maximum number of tokens. */
export interface SplitDefinition<Column extends string> {
  readonly column: NoInfer<Column>;
  readonly tokens: number;
  readonly overlap?: number | undefined;
}

export interface RowsInput<Column extends string> extends InputColumns<Column> {
  /**
   * Rows from memory: objects with a value per column, like lines of a JSONL table. They are stored in the state directory while they are read, once
   * per run; a source that can be read only once, such as a generator, is read by the first plan or run, and not again.
   */
  readonly rows: AsyncIterable<RowInput<Column>> | Iterable<RowInput<Column>>;
  readonly path?: undefined;
  readonly documents?: undefined;
  readonly split?: SplitDefinition<Column> | undefined;
}

/** A row given by a program. Without `input.columns` any object. */
export type RowInput<Column extends string> = string extends Column ? object : Readonly<Record<NoInfer<Column>, unknown>>;

interface InputColumns<Column extends string> {
  /** The columns the table must have; they determine the type of rows. */
  readonly columns?: readonly Column[] | undefined;
  /** Only matching rows are sent, for example `lang == "en" and stars < 3`. */
  readonly where?: string | undefined;
  /** The column, or columns, that identify a row. */
  readonly id?: NoInfer<Column> | readonly NoInfer<Column>[] | undefined;
}

/** Rows shown to the model with their correct answers. */
export interface ExamplesDefinition<Column extends string> {
  readonly path: string;
  /** The table's column for a column of the input, if the names differ. */
  readonly input?: Readonly<Partial<Record<NoInfer<Column>, string>>> | undefined;
  /** The table's column for a field of the answer, likewise. */
  readonly output?: Readonly<Record<string, string>> | undefined;
  readonly count?: number | undefined;
  readonly seed?: number | undefined;
  readonly holdout?: string | undefined;
}

/** Parameters of the request; only those listed are sent. */
export interface Params {
  readonly max_output_tokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly seed?: number | undefined;
  readonly presence_penalty?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | undefined;
  readonly verbosity?: 'low' | 'medium' | 'high' | undefined;
  readonly prompt_cache?: 'auto' | 'explicit' | 'provider' | undefined;
  readonly service_tier?: 'auto' | 'default' | 'flex' | 'priority' | 'fast' | undefined;
  readonly logprobs?: boolean | undefined;
  readonly top_logprobs?: number | undefined;
  readonly dimensions?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  /** Added to the body unchanged: parameters specific to a provider. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** A row with its end. `costNanoUsd` is the cost of its attempts in this run; null if part of it has no known price. */
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
