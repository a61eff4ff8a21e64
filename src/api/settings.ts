/** Settings that decide what there is to do. */
export interface PlanSettings {
  /** Uses the built-in simulator: no key, no cost, nothing leaves this machine. */
  readonly simulate?: boolean | undefined;
  /** The API to talk to; without it `ROWMILL_BASE_URL`, `OPENAI_BASE_URL`, the default. */
  readonly baseUrl?: string | undefined;
  /** Replaces `.rowmill` in the job's directory. */
  readonly stateDir?: string | undefined;
  /** Only the first rows. */
  readonly limit?: number | undefined;
  /** Only this many rows, chosen by `seed`; not together with `limit`. */
  readonly sample?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Sends every row again. */
  readonly fresh?: boolean | undefined;
  /** Retries failed rows, whatever their cause. */
  readonly retryFailed?: boolean | undefined;
  /** A day (YYYY-MM-DD) whose prices count; without it the day of each answer. */
  readonly priceAsOf?: string | undefined;
  /** Overrides the budget of the job. */
  readonly maxUsd?: number | undefined;
}

/** How a run works. */
export interface RunSettings extends PlanSettings {
  /** When it fires, no further work is taken; calls in flight get 30 s to finish. The run then ends with exit code 130 and can be continued. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress of the run, at most five times a second, and once at its end. If it throws, the run stops and `run()` throws the same error. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Called with what a person should know; errors are handled as for `onProgress`. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Continues although the cost is unknown, or may exceed `confirm_over`; without it such a run is refused. */
  readonly yes?: boolean | undefined;
  /** How long to wait for batches; 0 only submits them. By default to the end. */
  readonly waitMs?: number | undefined;
  /** Makes live calls through workers that share this Redis; without it `REDIS_URL`. */
  readonly redis?: string | undefined;
}

/** The progress of a run at one moment. */
export interface RunProgress {
  readonly run: string;
  /** Where requests go now. */
  readonly lane: 'batch' | 'live';
  /** Rows of the run. */
  readonly rows: number;
  /** Distinct requests among them: rows without those that are skipped or duplicates. */
  readonly requests: number;
  /** Those of them with a valid answer, from earlier runs or this one. */
  readonly okRequests: number;
  /** Rows to be answered: those that are not skipped. */
  readonly rowsAsked: number;
  /** Those of them with a valid answer. */
  readonly okRows: number;
  /** Tries of this run. */
  readonly attempts: number;
  readonly spentNanoUsd: number;
  /** Attempts whose price or usage is unknown: they are in no sum. */
  readonly unpricedAttempts: number;
  /** Null without a budget. */
  readonly budgetNanoUsd: number | null;
}
