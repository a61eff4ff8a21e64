import type { AnswerStyle } from './answers/answer-types.ts';
import type { RateLimitOptions } from './rate-limits.ts';

/** How long live calls take: always the same, or log-normal around a median. Milliseconds. */
export type Latency = number | { readonly p50Ms: number; readonly sigma?: number };

/** The options of `startSimulator`. By default nothing fails, nothing is limited, a batch ends within 1 s and a call within 5 ms. */
export interface SimulatorOptions extends RateLimitOptions {
  /** 0 (default): any free port. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Stores files, batches and the bill, and is continued by the next start. Null (default): a temporary directory, removed by `close`. */
  readonly stateDirectory?: string | null | undefined;
  /** Default: `bill.jsonl` in the state directory. A state directory must be continued with the bill it was started with. */
  readonly billFile?: string | null | undefined;
  /** One JSON line per request; null (default): none is written. */
  readonly traceFile?: string | null | undefined;
  /** A fault plan as parsed JSON (docs/simulator.md); null (default): nothing fails. */
  readonly faults?: unknown;
  /** Determines answers, order of lines and draws of the fault plan. Default 0. */
  readonly seed?: number | undefined;
  /** Made from the words of the row, as a reader would (`lifelike`, the default), or with minimal effort (`plain`). */
  readonly answers?: AnswerStyle | undefined;
  /** The share of prompts, 0 to 0.5, that get two different answers when they are sent twice. Default 0. */
  readonly noise?: number | undefined;
  /** The share of prompts, 0 to 1, that never get the best answer: a worse model. Default 0. */
  readonly degrade?: number | undefined;
  /** From creation to the end of a batch; computing a large one may take longer. Default 0.2. */
  readonly batchSeconds?: number | undefined;
  /** Default 0. */
  readonly latencyMs?: Latency | undefined;
  /** Prompt tokens a model's queue may hold, for every model or by name. Default: no limit. */
  readonly enqueuedTokens?: number | Readonly<Record<string, number>> | undefined;
  /** How long new batches are missing from the list. Default 0. */
  readonly listLagMs?: number | undefined;
  /** The order of GET /v1/batches. Default `newest_first`; `mixed` is the same at every call, but arbitrary. */
  readonly listOrder?: 'newest_first' | 'oldest_first' | 'mixed' | undefined;
  /** How an unset batch field appears on the wire. Default `null`. */
  readonly unsetFields?: 'null' | 'empty' | 'omitted' | undefined;
  /**
   * What happens to `prompt_cache_options`: accepted (default); refused with status 400 everywhere, or only in batches; or a batch with such a line
   * fails as a whole.
   */
  readonly cacheOptions?: 'taken' | 'refused' | 'refused_in_batches' | 'fails_batches' | undefined;
  readonly limits?: Partial<SimulatorLimits> | undefined;
  /** The clock, in milliseconds since 1970. Default: the machine's. */
  readonly now?: (() => number) | undefined;
  /** Time stands still except for `advance`. Default false. */
  readonly virtualTime?: boolean | undefined;
}

/** The API's bounds (Batch guide and files reference, seen 2026-11). */
export const DEFAULT_LIMITS: SimulatorLimits = {
  batchFileBytes: 209_715_200,
  fileBytes: 536_870_912,
  requestsPerBatch: 50_000,
  batchesPerHour: 2_000,
};

export const DEFAULT_BATCH_SECONDS = 0.2;

/** The bounds a test may lower; the defaults are the API's (OpenAI Batch guide, seen 2026-11). */
export interface SimulatorLimits {
  /** Of one batch input file. */
  readonly batchFileBytes: number;
  /** Of any file. */
  readonly fileBytes: number;
  readonly requestsPerBatch: number;
  readonly batchesPerHour: number;
}
