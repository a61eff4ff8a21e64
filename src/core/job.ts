/** What the user wants done to every row, checked, with defaults applied and every path absolute. */
export interface Job {
  /** `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`; names the state directory. */
  readonly name: string;
  readonly description: string | null;
  /** The job file, or null for a job defined in TypeScript. */
  readonly file: string | null;
  /** The folder relative paths were resolved against, and in which `.rowmill/` lies. */
  readonly directory: string;
  /** The job file's text as read (or a canonical JSON of a job defined in TypeScript): what `runs/<run>/job.yaml` keeps and its hash names. */
  readonly text: string;
  readonly input: InputSpec;
  /** Of a table of requests that of its first row, known once the table is open; empty before. */
  readonly model: string;
  /** What the rows of a table of requests ask, by endpoint, model and tier; absent for jobs with a prompt, and before the table is open. */
  readonly requests?: readonly RequestGroup[];
  readonly endpoint: Endpoint;
  readonly mode: Mode;
  readonly messages: readonly MessageTemplate[];
  readonly output: OutputSpec;
  /** The closed set of answers, in the order of the job file; empty when the job has none. */
  readonly labels: readonly Label[];
  /** Rows shown to the model with their right answers, before each row; null without any. */
  readonly examples: ExamplesSpec | null;
  /** How many answers one request asks for, of which the majority counts; 1: no votes. */
  readonly votes: number;
  /** Where the probability of a label comes from; null when none is wanted. */
  readonly confidence: 'logprobs' | null;
  /** Request parameters as the job names them (`temperature`, `max_output_tokens`, …); only those the job set. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly limits: JobLimits;
  readonly budget: JobBudget;
  /** An estimate above this wants a confirmation. */
  readonly confirmOverNanoUsd: number;
  /** How often one row may be tried in a run, first try included (>= 1). */
  readonly retry: { readonly attempts: number };
  /** What follows a call that may have been billed without an answer. */
  readonly onUnknown: 'retry' | 'hold';
  /** Whether identical rows share one request. */
  readonly dedupe: boolean;
  readonly write: WriteSpec;
  /** When a run stops before it has spent it all. */
  readonly stopIf: readonly StopRule[];
  /** How many rows go first; the others follow when their answers pass the stop rules. Null: all go at once. */
  readonly pilot: number | null;
  /** Who is told how a run went; null for nobody. */
  readonly notify: NotifySpec | null;
  readonly failIf: { readonly failedRows: Threshold; readonly skippedRows: Threshold };
}

/** Hard limits in nano-dollars; null where there is none. */
export interface JobBudget {
  /** Of one run. */
  readonly nanoUsd: number | null;
  readonly nanoUsdPerRow: number | null;
  /** Of what is announced in one UTC month, over all runs of the state directory. */
  readonly nanoUsdPerMonth: number | null;
  /** Of all runs of the state directory. */
  readonly nanoUsdTotal: number | null;
}

/** What a job may tell somebody about. */
export const NOTICE_EVENTS = ['done', 'failed', 'stopped', 'uncollected', 'shifted'] as const;

export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** In what form a notice is posted. */
export const NOTICE_FORMS = ['json', 'slack', 'ntfy'] as const;

export interface NotifySpec {
  /** The environment variable that holds the address, which is a secret. */
  readonly urlEnv: string;
  readonly form: (typeof NOTICE_FORMS)[number];
  readonly on: readonly NoticeEvent[];
}

/** Where rows go: `flex` are live calls at the flex price, `auto` decides by their number. */
export const MODES = ['batch', 'live', 'flex', 'auto'] as const;

export type Mode = (typeof MODES)[number];

/** The service tier live calls of a job ask for; null where they ask for none. */
export function readServiceTier({ mode, params }: Pick<Job, 'mode' | 'params'>): string | null {
  if (mode === 'flex') return mode;
  return typeof params.service_tier === 'string' ? params.service_tier : null;
}

/** Where the examples of a job come from. */
export interface ExamplesSpec {
  /** Absolute path of a table. */
  readonly path: string;
  /** The table's column for a column the prompt names; those that are not here have the same name. */
  readonly input: Readonly<Record<string, string>>;
  /** The table's column for a field of the answer, likewise. */
  readonly output: Readonly<Record<string, string>>;
  /** How many are shown, at most. */
  readonly count: number;
  readonly seed: number;
  /** Absolute path of a table a run writes the rows to that are not shown; null for none. */
  readonly holdout: string | null;
}

/** What a request asks for: an answer in text or JSON, by the older endpoint or the newer, or a vector. */
export const ENDPOINTS = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings'] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

export interface InputSpec {
  /** Absolute path or glob, or `-` for standard input; several only when the command line gave several. */
  readonly path: string;
  /** What messages call a table that comes from no file; absent: standard input. */
  readonly shown?: string;
  readonly format: TableFormat | null;
  readonly delimiter: string | null;
  /** A WHATWG encoding label; null is UTF-8 unless a byte order mark says otherwise. */
  readonly encoding: string | null;
  /** Names for a headerless table, or for one whose header names are not wanted, or the columns the job promises to use. */
  readonly columns: readonly string[] | null;
  /** Whether the first line of a CSV table is its header; absent: told by `columns`. */
  readonly hasHeader?: boolean;
  /** What quotes of a CSV table are; absent: what encloses cells. */
  readonly quote?: 'none';
  /** So many lines before the table are no part of it; absent: none. */
  readonly skipLines?: number;
  /** What becomes of records that cannot be read; absent: they refuse the table. */
  readonly badRows?: 'skip';
  /** A condition in the template language; rows that do not meet it are not asked. Absent: all are. */
  readonly where?: string;
  /** The sheet of a workbook; absent: its first one. */
  readonly sheet?: string;
  /** The folder of the job, from which paths of documents are told; absent for all other formats. */
  readonly root?: string;
  /** Makes several rows of long ones; absent: none is split. */
  readonly split?: SplitSpec;
  /** The columns that identify a row to a person; empty: the row's number. */
  readonly id: readonly string[];
}

export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'json' | 'parquet' | 'xlsx' | 'requests' | 'documents';

/** How a long text becomes the texts of several rows. */
export interface SplitSpec {
  readonly column: string;
  /** Of a part, at most. */
  readonly tokens: number;
  /** With which a part repeats the end of the one before it; fewer than half of `tokens`. */
  readonly overlap: number;
}

/** What lines of a table of requests ask alike: endpoint, model and service tier. */
export interface RequestGroup {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** As the lines name it; null for none. */
  readonly tier: string | null;
  readonly rows: number;
  /** The largest output cap of a line; null where a line has none. */
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

/** An image of the prompt; `url` is a Liquid template that gives a web address, a data URL or a path. */
export interface ImageTemplate {
  readonly url: string;
  /** How closely the model looks, which decides what the image costs; null: the API decides. */
  readonly detail: 'low' | 'high' | 'auto' | null;
}

export type OutputSpec =
  /** The answer as it is: a text, or from the embeddings endpoint a vector. */
  | {
      readonly type: 'text';
      /** The closed set of which it is one; absent where any text will do. */
      readonly labels?: readonly string[];
    }
  | {
      readonly type: 'json';
      /** `json_object` is JSON mode; `json_schema` sends the schema in strict mode. */
      readonly format: 'json_object' | 'json_schema';
      /** The schema every answer is checked against; null checks only that the answer is one JSON object. */
      readonly schema: Readonly<Record<string, unknown>> | null;
      /** Answer columns: the root's property names in schema order; empty means one `answer` column. */
      readonly columns: readonly string[];
    };

export interface Label {
  readonly name: string;
  readonly description: string;
}

/** The account's limits as the job gives them; null is unknown. */
export interface JobLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrency: number | null;
  readonly enqueuedTokens: number | null;
}

/** A path that names the day of the run: there is another table for each. */
export interface DatedPath {
  /** Absolute, with `{{ run.date }}` in it. */
  readonly template: string;
  /** By its IANA name; null is UTC. */
  readonly timezone: string | null;
  /** `2026-11-22`; null until it is known which run is meant. */
  readonly date: string | null;
}

export interface WriteSpec {
  /** Absent where the path is the same for every run. */
  readonly dated?: DatedPath;
  /** Whether the table goes to standard output: then it is first written into the state directory, as are failures and report. */
  readonly isStdout?: true;
  readonly path: string;
  /** Input columns to carry over; all of them in table order, or the named ones. */
  readonly keep: 'all' | readonly string[];
  /** Put before every column of ours. */
  readonly prefix: string;
  /** Spreadsheet-safe CSV. */
  readonly excel: boolean;
}

/** What a stop rule counts among the answers of a run: a cause; `failed`, which is any of them; `empty`, an answer that says nothing. */
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

/** A run stops once more answers than this bear the sign. */
export interface StopRule {
  readonly sign: StopSign;
  readonly over: Threshold;
  /** A share is one of so many first answers; null: of all that have come, from the hundredth on. */
  readonly first: number | null;
}

/** The largest count (or share of the rows, 0..1) that still passes. */
export type Threshold = { readonly type: 'count'; readonly over: number } | { readonly type: 'share'; readonly over: number };
