/** What decides what there is to do. */
export interface PlanSettings {
  /** Uses the built-in simulator: no key, no cost, nothing leaves this machine. */
  readonly simulate?: boolean | undefined;
  /** The API to talk to; without it `ROWMILL_BASE_URL`, `OPENAI_BASE_URL`, the default. */
  readonly baseUrl?: string | undefined;
  /** Stands for `.rowmill` in the job's directory. */
  readonly stateDir?: string | undefined;
  /** Only the first so many rows. */
  readonly limit?: number | undefined;
  /** Only so many rows, chosen by `seed`; not beside `limit`. */
  readonly sample?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Asks every row again. */
  readonly fresh?: boolean | undefined;
  /** Tries failed rows again, whatever their cause. */
  readonly retryFailed?: boolean | undefined;
  /** A day (YYYY-MM-DD) whose prices count; without it the day of each answer. */
  readonly priceAsOf?: string | undefined;
}

/** How a run goes about it. */
export interface RunSettings extends PlanSettings {
  /** When it fires, no further work is taken; calls under way get 30 s to finish. The run then ends with exit code 130 and can be continued. */
  readonly signal?: AbortSignal | undefined;
  /** Told how far the run is, five times a second at most, and once at its end. What it throws stops the run and is thrown by `run()`. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Told what a person should know; what it throws counts like that of `onProgress`. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Goes on although the cost is unknown, or may be above `confirm_over`; without it such a run is refused. */
  readonly yes?: boolean | undefined;
  /** Over the budget of the job. */
  readonly maxUsd?: number | undefined;
  /** How long to wait for batches; 0 only submits them. Without it to the end. */
  readonly waitMs?: number | undefined;
  /** Makes live calls through workers that share this Redis; without it `REDIS_URL`. */
  readonly redis?: string | undefined;
}

/** How far a run is, at one moment. */
export interface RunProgress {
  readonly run: string;
  /** Where requests go now. */
  readonly lane: 'batch' | 'live';
  /** Rows the run is about. */
  readonly rows: number;
  /** Distinct requests among them: rows without those that are skipped or ask what another row asks. */
  readonly requests: number;
  /** Those of them that are answered well, by earlier runs or this one. */
  readonly okRequests: number;
  /** Rows that are to be answered: those that are not skipped. */
  readonly rowsAsked: number;
  /** Those of them that are answered well. */
  readonly okRows: number;
  /** Tries of this run. */
  readonly attempts: number;
  readonly spentNanoUsd: number;
  /** Tries whose price or usage is unknown: they are in no sum. */
  readonly unpricedAttempts: number;
  /** Null without a budget. */
  readonly budgetNanoUsd: number | null;
}
