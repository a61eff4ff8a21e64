import type { AnswerFaultRequest } from '../answers/answer-faults.ts';
import type { ShutdownDates } from '../http/shutdown-dates.ts';

/** Which requests, batches or rows a fault applies to. All given conditions must hold; absent ones match everything. */
export interface FaultMatch {
  /** HTTP method. */
  readonly method?: string;
  /** Path with `*` for anything: `/v1/batches/*`. */
  readonly path?: string;
  /** The n-th of those that match the other conditions, from 1. */
  readonly nth?: number;
  /** Every k-th of those that match the other conditions. */
  readonly every?: number;
  /** A share of those that match the other conditions, 0..1, drawn by seed and custom_id (or by count if there is none). */
  readonly share?: number;
  /** Exact, or a prefix followed by `*`. For a live call: its X-Client-Request-Id. */
  readonly custom_id?: string;
  /** Line of the batch input file, from 1. */
  readonly row?: number;
  /** The n-th batch created in this state, from 1. */
  readonly batch?: number;
  /** The status of the batch in the path. */
  readonly status?: string;
  readonly model?: string;
  readonly lane?: 'batch' | 'live';
  /** The content of the requested file. */
  readonly file?: 'input' | 'output' | 'error';
  /**
   * With `share`: `vary` (default) draws again each time the same custom_id comes back, so that a retry can succeed; `first` spares every
   * retry; `all` hits every attempt.
   */
  readonly attempts?: 'vary' | 'first' | 'all';
}

/** What happens to one HTTP request. `isProcessed`: it takes effect although its response is replaced. */
export type RequestAction =
  | {
      readonly type: 'status';
      readonly status: number;
      readonly body: unknown;
      readonly headers: Readonly<Record<string, string>>;
      readonly isProcessed: boolean;
    }
  /** A shape of fixtures/world. */
  | {
      readonly type: 'world';
      readonly status: number;
      readonly body: unknown;
      readonly headers: Readonly<Record<string, string>>;
      readonly isProcessed: boolean;
    }
  | { readonly type: 'delay'; readonly delayMs: number }
  | { readonly type: 'hang'; readonly isProcessed: boolean }
  | { readonly type: 'drop'; readonly isProcessed: boolean }
  | { readonly type: 'cut'; readonly atByte: number; readonly closes: boolean }
  | { readonly type: 'redirect'; readonly to: string; readonly status: number }
  | { readonly type: 'drip'; readonly bytes: number; readonly everyMs: number }
  | { readonly type: 'list'; readonly kind: ListFault }
  | { readonly type: 'shutdownDates'; readonly dates: ShutdownDates; readonly isProcessed: true };

/** The ways in which servers list batches differently from the API; documented in docs/simulator.md. */
export const LIST_FAULTS = ['bare_array', 'null_data', 'no_created_at', 'no_metadata', 'empty', 'same_page', 'endless'] as const;

export type ListFault = (typeof LIST_FAULTS)[number];

/** The form of the id of an output or error file while the batch is final. */
export type FileIdView = 'null' | 'empty' | 'omitted' | 'late';

/** What happens to one batch; decided when it is created. */
export type BatchAction =
  | { readonly type: 'expire'; readonly share: number }
  | { readonly type: 'cancel'; readonly share: number; readonly unfinished: 'missing' | 'lines' }
  | {
      readonly type: 'fail';
      readonly code: string;
      readonly message: string;
      readonly param: string | null;
      readonly lines: readonly (number | null)[];
    }
  | { readonly type: 'fileIds'; readonly output: FileIdView | undefined; readonly error: FileIdView | undefined; readonly lateMs: number }
  | { readonly type: 'enqueuedTokens'; readonly most: number }
  | { readonly type: 'listLag'; readonly lagMs: number }
  | { readonly type: 'dropMetadata' }
  /** Neither found by its id nor listed for this long after its creation. */
  | { readonly type: 'vanish'; readonly forMs: number }
  /** Its create returns the id of the n-th batch. */
  | { readonly type: 'idOfBatch'; readonly number: number }
  | { readonly type: 'showStatus'; readonly status: string }
  | { readonly type: 'goBack'; readonly times: number }
  | { readonly type: 'stuck'; readonly status: 'validating' | 'in_progress' | 'finalizing' | 'cancelling' }
  | { readonly type: 'counts'; readonly counts: unknown }
  | { readonly type: 'noUsage' }
  | { readonly type: 'zeroUsage' }
  | { readonly type: 'bom' }
  /** The form of the batch once it has reached the shape's status. */
  | { readonly type: 'world'; readonly body: Readonly<Record<string, unknown>> };

/** The ways in which the line of a row is spoiled; docs/simulator.md says which are billed. */
export const LINE_FAULTS = [
  'missing',
  'lost',
  'status_0',
  'expired',
  'cancelled',
  'duplicate',
  'duplicate_new_id',
  'broken',
  'two_objects',
  'blank',
  'crlf',
  'foreign',
  'no_custom_id',
  'error_in_output',
  'string_error',
  'response_and_error',
  'null_body',
  'huge',
  'bad_utf8',
] as const;

export type LineFault = (typeof LINE_FAULTS)[number];

/** What happens to the line of one row of a batch. */
export type RowAction =
  | { readonly type: 'rowStatus'; readonly status: number; readonly code: string | null; readonly message: string }
  | { readonly type: 'line'; readonly kind: LineFault }
  /** A shape of fixtures/world; `@KEY@` in it stands for the custom_id. */
  | { readonly type: 'world'; readonly line: Readonly<Record<string, unknown>>; readonly file: 'output' | 'error' };

/** What happens to one answer, in either lane. */
export interface AnswerAction {
  readonly type: 'answer';
  readonly answer: AnswerFaultRequest;
}

/** What a fault does, grouped by what it applies to. */
export type FaultAction =
  | { readonly scope: 'request'; readonly action: RequestAction }
  | { readonly scope: 'batch'; readonly action: BatchAction }
  | { readonly scope: 'row'; readonly action: RowAction }
  | { readonly scope: 'answer'; readonly action: AnswerAction };

/** One entry of a fault plan. */
export type Fault = FaultAction & {
  /** Its position in the plan, from 0. */
  readonly index: number;
  /** Its name in the trace and in `faultsFired`: its `name`, else `#<index> <word of its do>`. */
  readonly name: string;
  readonly match: FaultMatch;
  /** How often it fires at most; Infinity if not given. */
  readonly times: number;
};
