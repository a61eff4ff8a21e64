/** What the user wants done to every row: checked, with defaults applied and all paths absolute. */
export interface Job {
  /** `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`; names the state directory. */
  readonly name: string;
  readonly description: string | null;
  /** The job file, or null for a job defined in TypeScript. */
  readonly file: string | null;
  /** The folder that relative paths are resolved against, and that contains `.rowmill/`. */
  readonly directory: string;
  /** The job file's text as read (or canonical JSON of a job defined in TypeScript): stored as `runs/<run>/job.yaml` and identified by its hash. */
  readonly text: string;
  readonly input: InputSpec;
  /** For a table of requests that of its first row, known once the table is open; empty before. */
  readonly model: string;
  /** The groups of requests in a table of requests, by endpoint, model and tier; absent for jobs with a prompt, and before the table is open. */
  readonly requests?: readonly RequestGroup[];
  readonly endpoint: Endpoint;
  readonly mode: Mode;
  readonly messages: readonly MessageTemplate[];
  readonly output: OutputSpec;
  /** The closed set of answers, in the order of the job file; empty if the job has none. */
  readonly labels: readonly Label[];
  /** Rows shown to the model with their correct answers, before each row; null without any. */
  readonly examples: ExamplesSpec | null;
  /** How many answers one request asks for; the majority counts. 1: no votes. */
  readonly votes: number;
  /** Where the probability of a label comes from; null if none is requested. */
  readonly confidence: 'logprobs' | null;
  /** Request parameters under the job's names (`temperature`, `max_output_tokens`, …); only those the job set. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly limits: JobLimits;
  readonly budget: JobBudget;
  /** An estimate above this needs confirmation. */
  readonly confirmOverNanoUsd: number;
  /** How often one row may be tried in a run, including the first try (>= 1). */
  readonly retry: { readonly attempts: number };
  /** What to do after a call that may have been billed without an answer. */
  readonly onUnknown: 'retry' | 'hold';
  /** Whether identical rows share one request. */
  readonly dedupe: boolean;
  readonly write: WriteSpec;
  /** When a run stops before it has spent its whole budget. */
  readonly stopIf: readonly StopRule[];
  /** How many rows go first; the others follow if their answers pass the stop rules. Null: all go at once. */
  readonly pilot: number | null;
  /** Who is notified about a run; null for nobody. */
  readonly notify: NotifySpec | null;
  readonly failIf: { readonly failedRows: Threshold; readonly skippedRows: Threshold };
}

/** Hard limits in nano-dollars; null if there is none. */
export interface JobBudget {
  /** Of one run. */
  readonly nanoUsd: number | null;
  readonly nanoUsdPerRow: number | null;
  /** Of requests announced in one UTC month, over all runs of the state directory. */
  readonly nanoUsdPerMonth: number | null;
  /** Of all runs of the state directory. */
  readonly nanoUsdTotal: number | null;
}

/** The events a job may notify about. */
export const NOTICE_EVENTS = ['done', 'failed', 'stopped', 'uncollected', 'shifted'] as const;

export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** The format of a notice. */
export const NOTICE_FORMS = ['json', 'slack', 'ntfy'] as const;

export interface NotifySpec {
  /** The environment variable that holds the address, which is secret. */
  readonly urlEnv: string;
  readonly form: (typeof NOTICE_FORMS)[number];
  readonly on: readonly NoticeEvent[];
}

/** How rows are sent: `flex` are live calls at the flex price, `auto` decides by their number. */
export const MODES = ['batch', 'live', 'flex', 'auto'] as const;

export type Mode = (typeof MODES)[number];

/** The service tier requested by live calls of a job; null if none is. */
export function readServiceTier({ mode, params }: Pick<Job, 'mode' | 'params'>): string | null {
  if (mode === 'flex') return mode;
  return typeof params.service_tier === 'string' ? params.service_tier : null;
}

/** Where the examples of a job come from. */
export interface ExamplesSpec {
  /** Absolute path of a table. */
  readonly path: string;
  /** The table's column for a column used in the prompt; columns that are not listed have the same name. */
  readonly input: Readonly<Record<string, string>>;
  /** The table's column for a field of the answer, likewise. */
  readonly output: Readonly<Record<string, string>>;
  /** How many are shown, at most. */
  readonly count: number;
  readonly seed: number;
  /** Absolute path of a table for the rows that are not shown; null for none. */
  readonly holdout: string | null;
}

/** The kind of request: a text or JSON answer from the older or newer endpoint, or a vector. */
export const ENDPOINTS = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings'] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

export interface InputSpec {
  /** Absolute path or glob, or `-` for standard input; several only if the command line gave several. */
  readonly path: string;
  /** The name in messages of a table that is not a file; absent: standard input. */
  readonly shown?: string;
  readonly format: TableFormat | null;
  readonly delimiter: string | null;
  /** A WHATWG encoding label; null is UTF-8 unless a byte order mark says otherwise. */
  readonly encoding: string | null;
  /** Names for a headerless table, names that replace those of its header, or the columns the job promises to use. */
  readonly columns: readonly string[] | null;
  /** Whether the first line of a CSV table is its header; absent: decided by `columns`. */
  readonly hasHeader?: boolean;
  /** The role of quotes in a CSV table; absent: they enclose cells. */
  readonly quote?: 'none';
  /** How many lines before the table to skip; absent: none. */
  readonly skipLines?: number;
  /** What to do with records that cannot be read; absent: they refuse the table. */
  readonly badRows?: 'skip';
  /** A condition in the template language; rows that do not match are not sent. Absent: all are. */
  readonly where?: string;
  /** The sheet of a workbook; absent: its first one. */
  readonly sheet?: string;
  /** The folder of the job, to which paths of documents are relative; absent for all other formats. */
  readonly root?: string;
  /** Splits long rows into several; absent: none is split. */
  readonly split?: SplitSpec;
  /** The columns that identify a row to a person; empty: the row's number. */
  readonly id: readonly string[];
}

export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'json' | 'parquet' | 'xlsx' | 'requests' | 'documents';

/** How a long text is split into the texts of several rows. */
export interface SplitSpec {
  readonly column: string;
  /** Maximum of a part. */
  readonly tokens: number;
  /** How much each part repeats from the end of the previous one; fewer than half of `tokens`. */
  readonly overlap: number;
}

/** What lines of a table of requests have in common: endpoint, model and service tier. */
export interface RequestGroup {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** As named in the lines; null for none. */
  readonly tier: string | null;
  readonly rows: number;
  /** The largest output cap of a line; null if a line has none. */
  readonly capTokens: number | null;
  /** The most images a line has. */
  readonly images: number;
}

/** One message of the prompt; `content` is a Liquid template. */
export interface MessageTemplate {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
  /** Images that follow the text; absent without any. */
  readonly images?: readonly ImageTemplate[];
}

/** An image of the prompt; `url` is a Liquid template that yields a web address, a data URL or a path. */
export interface ImageTemplate {
  readonly url: string;
  /** How closely the model looks, which decides what the image costs; null: the API decides. */
  readonly detail: 'low' | 'high' | 'auto' | null;
  /** Whether it is another kind of file, sent as a file; absent: no. */
  readonly isFile?: true;
}

export type OutputSpec =
  /** The answer as it is: a text, or a vector from the embeddings endpoint. */
  | {
      readonly type: 'text';
      /** The closed set it has to be one of; absent if any text is valid. */
      readonly labels?: readonly string[];
    }
  | {
      readonly type: 'json';
      /** `json_object` is JSON mode; `json_schema` sends the schema in strict mode. */
      readonly format: 'json_object' | 'json_schema';
      /** The schema every answer is validated against; null only requires a JSON object. */
      readonly schema: Readonly<Record<string, unknown>> | null;
      /** Answer columns: the root's property names in schema order; empty means a single `answer` column. */
      readonly columns: readonly string[];
    };

export interface Label {
  readonly name: string;
  readonly description: string;
}

/** The account's limits as given in the job; null is unknown. */
export interface JobLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrency: number | null;
  readonly enqueuedTokens: number | null;
}

/** A path that contains the day of the run: each day has its own table. */
export interface DatedPath {
  /** Absolute, with `{{ run.date }}` in it. */
  readonly template: string;
  /** By its IANA name; null is UTC. */
  readonly timezone: string | null;
  /** `2026-11-22`; null until it is known which run is meant. */
  readonly date: string | null;
}

export interface WriteSpec {
  /** Absent if the path is the same for every run. */
  readonly dated?: DatedPath;
  /** Whether the table goes to standard output: it is first written into the state directory, as are failures and report. */
  readonly isStdout?: true;
  readonly path: string;
  /** Input columns to carry over; all of them in table order, or the named ones. */
  readonly keep: 'all' | readonly string[];
  /** Prefix of every column of ours. */
  readonly prefix: string;
  /** Spreadsheet-safe CSV. */
  readonly excel: boolean;
  /** The character between the cells of CSV; absent: a comma. */
  readonly delimiter?: string;
}

/** What a stop rule counts among the answers of a run: a cause; `failed`, which is any cause; `empty`, an answer without content. */
export const STOP_SIGNS = [
  'failed',
  'invalid',
  'truncated',
  'refused',
  'filtered',
  'empty',
  'bad_request',
  'server_error',
  'timeout',
] as const;

export type StopSign = (typeof STOP_SIGNS)[number];

/** A run stops once more answers than this show the sign. */
export interface StopRule {
  readonly sign: StopSign;
  readonly over: Threshold;
  /** The number of first answers that a share refers to; null: all so far, from the hundredth on. */
  readonly first: number | null;
}

/** The largest count (or share of the rows, 0..1) that still passes. */
export type Threshold = { readonly type: 'count'; readonly over: number } | { readonly type: 'share'; readonly over: number };
